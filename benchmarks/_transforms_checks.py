"""What PyTorch can do to a module, done to one recurrent layer: each check gives how far the values are off.

A check takes a `Case` and returns norm(found - wanted) / norm(wanted) of all its values together; it raises what the
layer raises. The values wanted are those of the equations in plain operations, in float64.
"""

import copy
import io
import pickle
import tempfile
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vmap
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

B, T, IN, H = 2, 4, 3, 5


@dataclass
class Case:
    """One layer, its weights by name, inputs [B, T, IN] and a direction of the same shape.

    Attributes:
        package: `torch.nn` or `recurra.nn`.
        kind: the class in it.
        layer: batch first, H neurons.
        x, v: input and direction.
    """

    package: ModuleType
    kind: str
    layer: Any
    x: Tensor
    v: Tensor

    @property
    def weights(self) -> dict[str, Tensor]:
        """Copies of the layer's parameters."""
        return {name: part.detach().clone() for name, part in self.layer.named_parameters()}

    def ours(self, p: dict[str, Tensor], x: Tensor) -> Tensor:
        """The layer's outputs with other weights."""
        y: Tensor = functional_call(self.layer, p, (x,))[0]
        return y

    def truth(self, p: dict[str, Tensor], x: Tensor) -> Tensor:
        """The equations in plain operations: gate order i f g o and r z n, the reset after the product."""
        h = c = x.new_zeros(x.shape[0], H)
        outputs = [x.new_zeros(x.shape[0], 0, H)]
        for t in range(x.shape[1]):
            a = x[:, t] @ p["weight_ih_l0"].mT + p["bias_ih_l0"]
            b = h @ p["weight_hh_l0"].mT + p["bias_hh_l0"]
            if self.kind == "RNN":
                h = (a + b).tanh()
            elif self.kind == "GRU":
                r, z = ((a + b)[:, : 2 * H]).sigmoid().chunk(2, 1)
                h = (1 - z) * (a[:, 2 * H :] + r * b[:, 2 * H :]).tanh() + z * h
            else:
                i, f, g, o = (a + b).chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
            outputs.append(h[:, None])
        return torch.cat(outputs, 1)


Network = Callable[[dict[str, Tensor], Tensor], Tensor]


def case(package: ModuleType, kind: str, dtype: torch.dtype = torch.float64) -> Case:
    """A layer and its input, the same numbers for every package."""
    torch.manual_seed(7)
    layer = getattr(package, kind)(IN, H, batch_first=True, dtype=dtype)
    x, v = torch.randn(2, B, T, IN, dtype=torch.float64).to(dtype)
    return Case(package, kind, layer, x, v)


def off(found: Tensor | Iterable[Tensor], wanted: Tensor | Iterable[Tensor]) -> float:
    """norm(found - wanted) / norm(wanted), all tensors together."""
    one, other = (
        torch.cat([part.detach().double().reshape(-1) for part in ([side] if isinstance(side, Tensor) else side)])
        for side in (found, wanted)
    )
    return float((one - other).norm() / other.norm())


def cubed(network: Network) -> Network:
    """A loss with derivatives of every order."""
    return lambda p, x: (network(p, x) ** 3).sum()


def gradients(network: Network, p: dict[str, Tensor], x: Tensor) -> list[Tensor]:
    """Of the cubed outputs: the input's and every weight's."""
    leaves = {name: part.clone().requires_grad_() for name, part in p.items()}
    x = x.clone().requires_grad_()
    return list(torch.autograd.grad(cubed(network)(leaves, x), [x, *leaves.values()]))


def compiled(c: Case) -> float:
    """torch.compile(fullgraph=True): outputs and gradients."""
    torch.compiler.reset()
    run = torch.compile(c.layer, fullgraph=True, backend="aot_eager")
    y = run(c.x)[0]
    found = [y, *torch.autograd.grad((y**3).sum(), list(c.layer.parameters()))]
    return off(found, [c.truth(c.weights, c.x), *gradients(c.truth, c.weights, c.x)[1:]])


def exported(c: Case) -> float:
    """torch.export with free batch and time, run at another size."""
    sizes = {0: torch.export.Dim("B", min=1, max=64), 1: torch.export.Dim("T", min=1, max=512)}
    program = torch.export.export(c.layer.eval(), (c.x,), dynamic_shapes=(sizes,)).module()
    x = torch.randn(3, 17, IN, dtype=c.x.dtype)
    return off(program(x)[0], c.truth(c.weights, x))


def vmap_rows(c: Case) -> float:
    """Vmap over rows."""
    p = c.weights
    return off(vmap(lambda x: c.ours(p, x[None])[0])(c.x), c.truth(p, c.x))


def vmap_weights(c: Case) -> float:
    """Vmap over weights: an ensemble of networks."""
    p = {name: torch.stack([part, part * 0.5, -part]) for name, part in c.weights.items()}
    return off(vmap(c.ours, (0, None))(p, c.x), vmap(c.truth, (0, None))(p, c.x))


def forward_mode(c: Case) -> float:
    """Jvp in the input and in the weights."""
    p, direction = c.weights, {name: part.cos() for name, part in c.weights.items()}
    found, wanted = (jvp(f, (p, c.x), (direction, c.v))[1] for f in (c.ours, c.truth))
    return off(found, wanted)


def jacobians(c: Case) -> float:
    """Jacrev and jacfwd."""
    p = c.weights
    found = [take(lambda x: c.ours(p, x))(c.x) for take in (jacrev, jacfwd)]
    return off(found, [jacrev(lambda x: c.truth(p, x))(c.x)] * 2)


def per_sample(c: Case) -> float:
    """Per-sample gradients: vmap(grad)."""

    def take(f: Network) -> list[Tensor]:
        return list(vmap(grad(lambda p, x: cubed(f)(p, x[None])), (None, 0))(c.weights, c.x).values())

    return off(take(c.ours), take(c.truth))


def second(c: Case) -> float:
    """The hessian."""
    found, wanted = (hessian(lambda x, f=f: cubed(f)(c.weights, x))(c.x) for f in (c.ours, c.truth))
    return off(found, wanted)


def third(c: Case) -> float:
    """Double backward twice: a third derivative."""

    def take(f: Network) -> Tensor:
        x = c.x.clone().requires_grad_()
        (one,) = torch.autograd.grad(cubed(f)(c.weights, x), x, create_graph=True)
        (two,) = torch.autograd.grad((one**2).sum(), x, create_graph=True)
        return torch.autograd.grad((two**2).sum(), x)[0]

    return off(take(c.ours), take(c.truth))


def autocast(c: Case) -> float:
    """Autocast to bfloat16, against float32; a few thousandths are the rounding of the outputs."""
    single = case(c.package, c.kind, torch.float32)
    wanted = single.truth(single.weights, single.x)
    with torch.autocast("cpu", torch.bfloat16):
        found = single.layer(single.x)[0]
    return off(found, wanted)


def no_steps(c: Case) -> float:
    """T = 0, and B = 0."""
    shapes = [c.layer(c.x.new_zeros(rows, steps, IN))[0].shape for rows, steps in ((B, 0), (0, T))]
    return float(shapes != [(B, 0, H), (0, T, H)])


def no_length(c: Case) -> float:
    """A row of length 0 in a ragged batch."""
    lengths = torch.tensor([0, 3])
    if hasattr(c.layer, "step"):
        y = c.layer(c.x, lengths=lengths)[0]
    else:
        packed = c.layer(pack_padded_sequence(c.x, lengths, batch_first=True, enforce_sorted=False))[0]
        y = pad_packed_sequence(packed, batch_first=True, total_length=T)[0]
    wanted = torch.zeros_like(y)
    wanted[1, :3] = c.truth(c.weights, c.x)[1, :3]
    return off(y, wanted)


def hooks(c: Case) -> float:
    """Hooks of the state dict, of the forward and of the backward pass."""
    seen: list[str] = []
    c.layer.register_state_dict_post_hook(lambda _module, _state, _prefix, _metadata: seen.append("saved"))
    c.layer.register_load_state_dict_post_hook(lambda _module, _keys: seen.append("loaded"))
    c.layer.register_forward_hook(lambda _module, _given, _found: seen.append("forward"))
    c.layer.register_full_backward_hook(lambda _module, _given, _found: seen.append("backward"))
    c.layer.load_state_dict(c.layer.state_dict())
    y = c.layer(c.x.clone().requires_grad_())[0]
    y.sum().backward()
    return off(y, c.truth(c.weights, c.x)) + float(seen != ["saved", "loaded", "forward", "backward"])


def copies(c: Case) -> float:
    """deepcopy, pickling, torch.save."""
    file = io.BytesIO()
    torch.save(c.layer, file)
    file.seek(0)
    pickled = pickle.loads(pickle.dumps(c.layer))  # noqa: S301  written a moment ago
    others = [copy.deepcopy(c.layer), pickled, torch.load(file, weights_only=False)]
    return off([other(c.x)[0] for other in others], [c.truth(c.weights, c.x)] * 3)


class Half(torch.nn.Module):
    """Halves a weight."""

    def forward(self, weight: Tensor) -> Tensor:
        """Half of it."""
        return weight / 2


def parametrized(c: Case) -> float:
    """torch.nn.utils.parametrize on a recurrent weight: outputs and the gradient of the original."""
    p = c.weights
    parametrize.register_parametrization(c.layer, "weight_hh_l0", Half())
    y = c.layer(c.x)[0]
    found = torch.autograd.grad((y**3).sum(), c.layer.parametrizations.weight_hh_l0.original)[0]
    halved = {**p, "weight_hh_l0": p["weight_hh_l0"] / 2}
    wanted = gradients(c.truth, halved, c.x)[1 + list(p).index("weight_hh_l0")] / 2
    return off([y, found], [c.truth(halved, c.x), wanted])


def shared(c: Case) -> float:
    """One weight in two layers: the gradients add."""
    other = getattr(c.package, c.kind)(IN, H, batch_first=True, dtype=c.x.dtype)
    other.weight_hh_l0 = c.layer.weight_hh_l0
    loss = (c.layer(c.x)[0] ** 3).sum() + (other(c.v)[0] ** 3).sum()
    found = torch.autograd.grad(loss, c.layer.weight_hh_l0)[0]
    theirs = {name: part.detach() for name, part in other.named_parameters()}
    place = 1 + list(theirs).index("weight_hh_l0")
    wanted = gradients(c.truth, c.weights, c.x)[place] + gradients(c.truth, theirs, c.v)[place]
    return off(found, wanted)


def distributed(c: Case) -> float:
    """DistributedDataParallel, one process of gloo: gradients."""
    with tempfile.NamedTemporaryFile() as file:
        torch.distributed.init_process_group("gloo", init_method=f"file://{file.name}", rank=0, world_size=1)
        try:
            wrapped = torch.nn.parallel.DistributedDataParallel(c.layer)
            (wrapped(c.x)[0] ** 3).sum().backward()
        finally:
            torch.distributed.destroy_process_group()
    return off([part.grad for part in c.layer.parameters()], gradients(c.truth, c.weights, c.x)[1:])


CHECKS: dict[str, Callable[[Case], float]] = {
    "torch.compile(fullgraph=True), with gradients": compiled,
    "torch.export, batch and time free": exported,
    "vmap over rows": vmap_rows,
    "vmap over weights": vmap_weights,
    "jvp": forward_mode,
    "jacrev and jacfwd": jacobians,
    "per-sample gradients, vmap(grad)": per_sample,
    "hessian": second,
    "double backward twice": third,
    "autocast to bfloat16": autocast,
    "T = 0 and B = 0": no_steps,
    "a row of length 0": no_length,
    "hooks of the state dict, forward and backward": hooks,
    "deepcopy, pickle, torch.save": copies,
    "torch.nn.utils.parametrize": parametrized,
    "one weight in two layers": shared,
    "DistributedDataParallel": distributed,
}


def outcome(check: Callable[[Case], float], c: Case) -> dict[str, Any]:
    """{"off": number} of a check that ran, {"error": kind and first line} of one that raised."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return {"off": check(c)}
    except Exception as error:  # whatever a layer raises is what the table shows
        first = (str(error).strip().splitlines() or [""])[0]
        return {"error": type(error).__name__, "message": first[:200]}
