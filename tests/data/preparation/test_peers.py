"""What the network is shown of the other targets of a series, by hand."""

import numpy as np

from recurra.data.preparation.peers import peer_inputs, peer_width


def test_every_target_has_its_place():
    """Two targets: their levels, whether they were observed, and which of them is asked for."""
    level, observed = np.array([[0.5, -1.0]]), np.array([[True, False]])
    own = np.array([[False, True]])
    assert peer_inputs(level, observed, own, True).tolist() == [[0.5, -1.0, 1.0, 0.0, 0.0, 1.0]]
    assert peer_inputs(level, observed, own, False).tolist() == [[0.5, -1.0, 0.0, 1.0]]
    assert (peer_width(2, True), peer_width(2, False), peer_width(1, True), peer_width(0, False)) == (6, 4, 0, 0)
