"""The pool of motoneurons once more, in Brian2: the same equations, written anew.

Nothing here imports the package: numbers come in as rows named by `ROWS`, the input in mV, one
number each millisecond. `method` is one of Brian2's: ``exponential_euler`` is the package's own
scheme, ``rk4`` an independent one.
"""

import numpy as np

ROWS = (
    "keep", "rest", "ahp_keep", "ahp_jump", "rise_keep", "rise_jump", "pic", "half", "slope",
    "pic_share", "slow_share", "least", "rested", "back", "hold",
)  # fmt: skip
MODEL = """
dv/dt = (rest + u(t) + pic*p*h - ahp - v) / tau : 1 (unless refractory)
dw/dt = (rest + u(t) + pic*p*h - w) / tau : 1
dahp/dt = -ahp / tau_ahp : 1
drise/dt = -rise / tau_rise : 1
dp/dt = (1/(1 + exp((half - w)/slope)) - p) / tau_p : 1
dh/dt = (1 - (1 - least)*p - h) / tau_h : 1
rest : 1
pic : 1
half : 1
slope : 1
least : 1
rested : 1
back : 1
ahp_jump : 1
rise_jump : 1
tau : second
tau_ahp : second
tau_rise : second
tau_p : second
tau_h : second
"""


def build(rows, states, input_mv, step_ms, dt_ms, method):
    """Return a function that runs Brian2 for the input's length and gives (times ms, units).

    `rows` has shape (15, units) and holds shares of a step of `step_ms`; `states` has the seven
    states to start from; `dt_ms` is Brian2's own step.
    """
    import brian2 as b2

    P = dict(zip(ROWS, rows, strict=True))
    taus = {
        "tau": -step_ms / np.log(P["keep"]),
        "tau_ahp": -step_ms / np.log(P["ahp_keep"]),
        "tau_rise": -step_ms / np.log(P["rise_keep"]),
        "tau_p": -step_ms / np.log1p(-P["pic_share"]),
        "tau_h": -step_ms / np.log1p(-P["slow_share"]),
    }
    drive = b2.TimedArray(np.asarray(input_mv, float), dt=1.0 * b2.ms)
    held_ms = P["hold"][0] * step_ms + dt_ms  # Brian2 lets go one step earlier
    group = b2.NeuronGroup(
        rows.shape[1],
        MODEL,
        threshold="v >= rested + rise",
        reset="v = back; ahp += ahp_jump; rise += rise_jump",
        refractory=held_ms * b2.ms,
        method=method,
        dt=dt_ms * b2.ms,
        namespace={"u": drive},
    )
    for name in (
        "rest",
        "pic",
        "half",
        "slope",
        "least",
        "rested",
        "back",
        "ahp_jump",
        "rise_jump",
    ):
        setattr(group, name, P[name])
    for name, value in taus.items():
        setattr(group, name, value * b2.ms)
    for name, value in zip(("v", "w", "ahp", "rise", "p", "h"), states, strict=False):
        setattr(group, name, value)
    monitor = b2.SpikeMonitor(group)
    network = b2.Network(group, monitor)

    def run():
        network.run(len(input_mv) * b2.ms)
        return np.asarray(monitor.t / b2.ms) + dt_ms, np.asarray(monitor.i)

    return run
