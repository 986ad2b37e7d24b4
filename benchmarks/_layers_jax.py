"""The recurrent layers as jax.lax.scan, in a process of its own that computes one call whenever it is told to.

Run by the Python of .venvs/jax, which has JAX and NumPy and neither PyTorch nor Recurra (see _layers_peers). Each
line that comes in is a command in JSON, each line that goes out its answer:

    {"load": PATH, "save": PATH, "kind": ..., "mode": ..., "unroll": N}   compile, run, save the results as .npz
    {"run": 2}                                                            run twice, tell the last one's seconds
"""

import json
import os
import sys
import time
from functools import partial

if hasattr(os, "sched_setaffinity") and len(sys.argv) > 1:
    # XLA takes as many threads as it has processors; it counts them when it is loaded
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])

import jax
import jax.numpy as jnp
import numpy as np


def rnn_step(w, h, g):
    """H' = tanh(x W + b + h U + b_u), with g = x W + b."""
    return jnp.tanh(g + h @ w["u"] + w["bu"])


def gru_step(w, h, g):
    """r, z, n as in PyTorch: the reset gate acts after the product."""
    r, z, n = jnp.split(g, 3, axis=-1)
    r_u, z_u, n_u = jnp.split(h @ w["u"] + w["bu"], 3, axis=-1)
    z = jax.nn.sigmoid(z + z_u)
    n = jnp.tanh(n + jax.nn.sigmoid(r + r_u) * n_u)
    return z * h + (1 - z) * n


def lstm_step(w, state, g):
    """i, f, g, o as in PyTorch; the state is (h, c)."""
    h, c = state
    i, f, n, o = jnp.split(g + h @ w["u"] + w["bu"], 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(n)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def layer(kind, unroll, w, x):
    """Outputs [B, T, H] and the last state of a batch [B, T, I]; the input's product is one for all steps."""
    g = jnp.swapaxes(x, 0, 1) @ w["w"] + w["bw"]
    zeros = jnp.zeros((x.shape[0], w["u"].shape[0]), x.dtype)
    step = {"RNN": rnn_step, "GRU": gru_step, "LSTM": lstm_step}[kind]

    def body(state, g_t):
        state = step(w, state, g_t)
        return state, state[0] if kind == "LSTM" else state

    last, y = jax.lax.scan(body, (zeros, zeros) if kind == "LSTM" else zeros, g, unroll=unroll)
    return jnp.swapaxes(y, 0, 1), last


def training_step(kind, unroll, w, x):
    """The sum of the outputs, the gradients of the weights, and the outputs."""

    def loss(weights):
        y, last = layer(kind, unroll, weights, x)
        return y.sum(), (y, last)

    return jax.value_and_grad(loss, has_aux=True)(w)


class Work:
    """One compiled call and its arguments."""

    def __init__(self, command):
        with np.load(command["load"]) as arrays:
            self.w = {name: jnp.asarray(arrays[name]) for name in ("w", "u", "bw", "bu")}
            self.x = jnp.asarray(arrays["x"])
        self.training = command["mode"] == "train"
        function = training_step if self.training else layer
        self.call = jax.jit(partial(function, command["kind"], command["unroll"]))

    def run(self):
        """One call to its end; its results and seconds."""
        begun = time.perf_counter()
        found = jax.block_until_ready(self.call(self.w, self.x))
        return found, time.perf_counter() - begun

    def results(self):
        """What it computes, by name."""
        found, _ = self.run()
        (y, last), gradients = (found[0][1], found[1]) if self.training else (found, {})
        parts = last if isinstance(last, tuple) else (last,)
        states = {f"state{i}": part for i, part in enumerate(parts)}
        return {"y": y, **states, **{f"d{name}": g for name, g in gradients.items()}}


def main():
    """Answer until nothing more comes in."""
    work = None
    for line in sys.stdin:
        command = json.loads(line)
        if "load" in command:
            work = Work(command)
            np.savez(command["save"], **{name: np.asarray(value) for name, value in work.results().items()})
            answer = {"jax": jax.__version__}
        else:
            answer = {"seconds": [work.run()[1] for _ in range(command["run"])][-1]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
