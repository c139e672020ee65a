"""The axon once more, in NEURON and in Brian2: the same equations, written anew.

Nothing here imports the package: numbers come in as rows named by `ROWS`, states as rows named
by `STATES`. Each simulator appears twice: integrated by its own solver (``own``: CVODE at a
tolerance of 1e-9, Runge-Kutta of order 4 at 0.001 ms), to say whether the answer is right; and at
a fixed step of 0.01 ms with the package's scheme (``fixed``: gates at the potential in the middle
of their step, then one linearised trapezoidal step of both potentials), to say what the answer
costs. NEURON needs a C++ compiler and make, Brian2 a C++ compiler.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROWS = (
    "shift_m phi_m shift_h phi_h shift_p phi_p shift_n shift_ni phi_n shift_s phi_s shift_q phi_q "
    "P_na f_nap u_per_mv ghk_out ghk_in ohm_slope ohm_reversal "
    "g_kf g_ks E_k g_lk E_lk I_pump gi_kf gi_ks g_h E_h gi_lk Ei_lk Ii_pump "
    "g_bb C_n C_my C_i"
).split()
STATES = "v w m h p n s ni si q".split()  # v node, w internode
FIXED_MS = 0.01
BRIAN_MS = 0.001  # step of Brian2's own Runge-Kutta method

# rate = scale * linoid or exponential, gate by gate: potential, shift, factor
GATES = {
    "m": ("v", "shift_m", "phi_m", "m"), "h": ("v", "shift_h", "phi_h", "h"),
    "p": ("v", "shift_p", "phi_p", "m"), "n": ("v", "shift_n", "phi_n", "n"),
    "s": ("v", "shift_s", "phi_s", "s"), "ni": ("w", "shift_ni", "phi_n", "n"),
    "si": ("w", "shift_s", "phi_s", "s"), "q": ("w", "shift_q", "phi_q", "q"),
}  # fmt: skip

# --- NEURON -----------------------------------------------------------------------------------

NMODL = """
NEURON {
    POINT_PROCESS @NAME@
    RANGE stimulus, least_m, fired, @ROWS@
}
UNITSOFF
PARAMETER { stimulus = 0  least_m = -1 @PARAMETERS@ }
ASSIGNED { fired a b x z dz na gk current g inner gi r1 r2 a11 a22 a12 det dt }
STATE { v_ w_ m h p n s ni si q }
INITIAL { fired = 0 }
BREAKPOINT { SOLVE move @METHOD@ }
AFTER SOLVE { if (v_ > -20 && m > least_m) { fired = 1 } }
@MOVE@
PROCEDURE currents() {
    LOCAL u, w, r
    u = v_ * u_per_mv
    if (fabs(u) < 1e-6) { u = 1e-6 }
    w = exp(u)
    r = u / (1 - w)
    z = 96.48533 * r * (ghk_out - ghk_in * w) + ohm_slope * (v_ - ohm_reversal)
    dz = 96.48533 * u_per_mv * ((1 / (1 - w) + r * w / (1 - w)) * (ghk_out - ghk_in * w)
         - r * ghk_in * w) + ohm_slope
    na = P_na * (m * m * m * h + f_nap * p * p * p)
    gk = g_kf * n * n * n * n + g_ks * s
    current = na * z + gk * (v_ - E_k) + g_lk * (v_ - E_lk) + I_pump
    g = na * dz + gk + g_lk
    gi = gi_kf * ni * ni * ni * ni + gi_ks * si
    inner = gi * (w_ - E_k) + g_h * q * (w_ - E_h) + gi_lk * (w_ - Ei_lk) + Ii_pump
    gi = gi + g_h * q + gi_lk
    r1 = stimulus - current - g_bb * (v_ - w_)
    r2 = g_bb * (v_ - w_) - inner
}
FUNCTION up(v, k, mid, width) {
    if (fabs(v - mid) < 1e-6) { up = k * width } else {
    up = k * (v - mid) / (1 - exp((mid - v) / width)) }
}
FUNCTION down(v, k, mid, width) {
    if (fabs(v - mid) < 1e-6) { down = k * width } else {
    down = k * (mid - v) / (1 - exp((v - mid) / width)) }
}
PROCEDURE m_rates(v) { a = up(v, 6.57, -20.4, 10.3)  b = down(v, 0.304, -25.7, 9.16) }
PROCEDURE h_rates(v) { a = down(v, 0.34, -114, 11)  b = 12.6 / (1 + exp(-(v + 31.8) / 13.4)) }
PROCEDURE n_rates(v) { a = up(v, 0.0462, -83.2, 1.1)  b = down(v, 0.0824, -66, 10.5) }
PROCEDURE s_rates(v) { a = up(v, 0.00563, -23.5, 12.7)  b = down(v, 0.00341, -91.1, 11.7) }
PROCEDURE q_rates(v) {
    a = 0.00522 * exp(-(v + 107.3) / 12.2)
    b = 0.00522 * exp((v + 107.3) / 12.2)
}
UNITSON
"""
GATE_OWN = "{kind}_rates({volt}_ + {shift})\n    {y}' = {phi} * (a * (1 - {y}) - b * {y})"
GATE_FIXED = (
    "{kind}_rates({volt}_ + {shift})\n"
    "    {y} = a / (a + b) + ({y} - a / (a + b)) * exp(-{phi} * (a + b) * dt)"
)
MOVE_OWN = """DERIVATIVE move {
    @GATES@
    currents()
    a11 = C_n + C_my
    a22 = C_i + C_my
    det = a11 * a22 - C_my * C_my
    v_' = (a22 * r1 + C_my * r2) / det
    w_' = (a11 * r2 + C_my * r1) / det
}"""
MOVE_FIXED = """PROCEDURE move() {
    @GATES@
    currents()
    a11 = C_n + C_my + 0.5 * dt * (g + g_bb)
    a22 = C_i + C_my + 0.5 * dt * (gi + g_bb)
    a12 = C_my + 0.5 * dt * g_bb
    det = (a11 * a22 - a12 * a12) / dt
    v_ = v_ + (a22 * r1 + a12 * r2) / det
    w_ = w_ + (a11 * r2 + a12 * r1) / det
}"""


def _gates(form: str) -> str:
    rows = ((y, *GATES[y]) for y in GATES)
    return "\n    ".join(
        form.format(y=y, volt=volt, shift=shift, phi=phi, kind=kind)
        for y, volt, shift, phi, kind in rows
    )


def _nmodl(name: str, method: str, move: str, gate: str) -> str:
    text = NMODL.replace("@MOVE@", move.replace("@GATES@", _gates(gate)))
    text = text.replace("@PARAMETERS@", " ".join(f"{row} = 0 " for row in ROWS))
    return (
        text.replace("@NAME@", name).replace("@ROWS@", ", ".join(ROWS)).replace("@METHOD@", method)
    )


def _neuron():
    """Return NEURON with both point processes compiled and loaded."""
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    from neuron import h

    if hasattr(h, "AxonOwn"):
        return h
    folder = Path(tempfile.mkdtemp(prefix="neurosim-nmodl-"))
    (folder / "own.mod").write_text(_nmodl("AxonOwn", "METHOD derivimplicit", MOVE_OWN, GATE_OWN))
    (folder / "fixed.mod").write_text(_nmodl("AxonFixed", "", MOVE_FIXED, GATE_FIXED))
    tool = Path(sys.executable).with_name("nrnivmodl")
    command = str(tool) if tool.exists() else shutil.which("nrnivmodl")
    done = subprocess.run([command or "nrnivmodl", "."], cwd=folder, capture_output=True, text=True)
    library = next(folder.glob("*/libnrnmech.*"), None)
    if done.returncode or library is None:
        raise RuntimeError(f"nrnivmodl failed:\n{done.stdout}\n{done.stderr}")
    h.nrn_load_dll(str(library))
    return h


class Neuron:
    """A batch of axons in NEURON: parameters (rows, n) by `ROWS`, states (10, n) by `STATES`."""

    def __init__(self, rows: dict[str, np.ndarray], own_solver: bool = True):
        self.h = _neuron()
        self.own_solver, self.n = own_solver, len(rows["C_n"])
        self.section = self.h.Section(name="holder")
        kind = self.h.AxonOwn if own_solver else self.h.AxonFixed
        self.axons = [kind(self.section(0.5)) for _ in range(self.n)]
        for j, axon in enumerate(self.axons):
            for name in ROWS:
                setattr(axon, name, float(rows[name][j]))
        self.cvode = self.h.CVode()
        self.parallel = self.h.ParallelContext()
        self.parallel.set_maxstep(10.0)

    def start(self, states: np.ndarray) -> None:
        """Set the states and the clock to 0."""
        self.cvode.active(self.own_solver)
        if self.own_solver:
            self.cvode.atol(1e-9)
            self.cvode.rtol(1e-9)
        self.h.dt = FIXED_MS
        self.h.finitialize(-80.0)
        for j, axon in enumerate(self.axons):
            for name, value in zip(STATES, states[:, j], strict=True):
                setattr(axon, name + "_" * (name in "vw"), float(value))
        if self.own_solver:
            self.cvode.re_init()

    def states(self) -> np.ndarray:
        """Return the states."""
        names = [name + "_" * (name in "vw") for name in STATES]
        return np.array([[getattr(axon, name) for axon in self.axons] for name in names])

    def run(self, current: np.ndarray, last_ms: float, least_m: float = -1.0) -> np.ndarray:
        """Move on for `last_ms` at constant current (pA); return who fired."""
        for axon, pa in zip(self.axons, current, strict=True):
            axon.stimulus, axon.least_m, axon.fired = float(pa), least_m, 0
        if self.own_solver:
            self.cvode.re_init()
            self.cvode.solve(self.h.t + last_ms)
        else:
            self.parallel.psolve(self.h.t + last_ms)
        return np.array([axon.fired > 0 for axon in self.axons])


# --- Brian2 -----------------------------------------------------------------------------------

RATES = {  # opening and closing; exprel(x) = (exp(x) - 1)/x is finite at 0
    "m": ("6.57*10.3/exprel(-({v} + 20.4)/10.3)", "0.304*9.16/exprel(({v} + 25.7)/9.16)"),
    "h": ("0.34*11.0/exprel(({v} + 114.0)/11.0)", "12.6/(1.0 + exp(-({v} + 31.8)/13.4))"),
    "n": ("0.0462*1.1/exprel(-({v} + 83.2)/1.1)", "0.0824*10.5/exprel(({v} + 66.0)/10.5)"),
    "s": ("0.00563*12.7/exprel(-({v} + 23.5)/12.7)", "0.00341*11.7/exprel(({v} + 91.1)/11.7)"),
    "q": ("0.00522*exp(-({v} + 107.3)/12.2)", "0.00522*exp(({v} + 107.3)/12.2)"),
}
CURRENTS = """
U = v*u_per_mv
Z = 96.48533*(ghk_in*exp(U) - ghk_out)/exprel(U) + ohm_slope*(v - ohm_reversal)
NA = P_na*(m**3*h + f_nap*p**3)
GK = g_kf*n**4 + g_ks*s
GKI = gi_kf*ni**4 + gi_ks*si
OUTER = NA*Z + GK*(v - E_k) + g_lk*(v - E_lk) + I_pump
INNER = GKI*(w - E_k) + g_h*q*(w - E_h) + gi_lk*(w - Ei_lk) + Ii_pump
R1 = stimulus - OUTER - g_bb*(v - w)
R2 = g_bb*(v - w) - INNER
""".strip().splitlines()
POTENTIALS = """
WU = exp(U)
XU = 1.0/exprel(U)
DX = (1.0 - WU*XU)*XU/(U + 1e-9*int(U == 0.0))  # slope of XU
DZ = ohm_slope + 96.48533*u_per_mv*(ghk_in*WU*XU + (ghk_in*WU - ghk_out)*DX)
A11 = C_n + C_my + 0.5*step_ms*(NA*DZ + GK + g_lk + g_bb)
A22 = C_i + C_my + 0.5*step_ms*(GKI + g_h*q + gi_lk + g_bb)
A12 = C_my + 0.5*step_ms*g_bb
DET = (A11*A22 - A12*A12)/step_ms
v += (A22*R1 + A12*R2)/DET
w += (A11*R2 + A12*R1)/DET
""".strip().splitlines()


def _rate(kind: str, volt: str, shift: str) -> tuple[str, str]:
    a, b = RATES[kind]
    return a.format(v=f"({volt} + {shift})"), b.format(v=f"({volt} + {shift})")


def _brian_own() -> str:
    lines = [f"{line} : 1" for line in CURRENTS]
    for y, (volt, shift, phi, kind) in GATES.items():
        a, b = _rate(kind, volt, shift)
        lines.append(f"d{y}/dt = {phi}*({a}*(1 - {y}) - {b}*{y})/ms : 1")
    det = "((C_n + C_my)*(C_i + C_my) - C_my**2)"
    lines.append(f"dv/dt = ((C_i + C_my)*R1 + C_my*R2)/{det}/ms : 1")
    lines.append(f"dw/dt = ((C_n + C_my)*R2 + C_my*R1)/{det}/ms : 1")
    return "\n".join(lines)


def _brian_fixed() -> str:
    lines = []
    for y, (volt, shift, phi, kind) in GATES.items():
        a, b = _rate(kind, volt, shift)
        lines += [f"A_{y} = {a}", f"S_{y} = A_{y} + {b}"]
        lines.append(f"{y} = A_{y}/S_{y} + ({y} - A_{y}/S_{y})*exp(-{phi}*step_ms*S_{y})")
    return "\n".join([*lines, *CURRENTS, *POTENTIALS])


class Brian:
    """A batch of axons in Brian2; the interface of `Neuron`."""

    def __init__(self, rows: dict[str, np.ndarray], own_solver: bool = True):
        import brian2

        self.b, self.own_solver, self.n = brian2, own_solver, len(rows["C_n"])
        brian2.BrianLogger.suppress_hierarchy("brian2")
        constants = "\n".join(f"{name} : 1 (constant)" for name in (*ROWS, "stimulus", "least_m"))
        states = "" if own_solver else "\n".join(f"{name} : 1" for name in STATES)
        step = (BRIAN_MS if own_solver else FIXED_MS) * brian2.ms
        self.group = brian2.NeuronGroup(
            self.n,
            f"{_brian_own() if own_solver else ''}\n{states}\n{constants}\nfired : 1",
            method="rk4" if own_solver else None,
            dt=step,
            namespace={"step_ms": FIXED_MS},
        )
        code = "" if own_solver else _brian_fixed() + "\n"
        code += "fired = clip(fired + int(v > -20.0)*int(m > least_m), 0.0, 1.0)"
        watch = self.group.run_regularly(code, dt=step, when="end")
        self.network = brian2.Network(self.group, watch)
        for name in ROWS:
            setattr(self.group, name, rows[name])

    def start(self, states: np.ndarray) -> None:
        """Set the states."""
        for name, row in zip(STATES, states, strict=True):
            setattr(self.group, name, row)

    def states(self) -> np.ndarray:
        """Return the states."""
        return np.array([np.array(getattr(self.group, name)) for name in STATES])

    def run(self, current: np.ndarray, last_ms: float, least_m: float = -1.0) -> np.ndarray:
        """Move on for `last_ms` at constant current (pA); return who fired."""
        self.group.stimulus, self.group.least_m, self.group.fired = current, least_m, 0.0
        self.network.run(last_ms * self.b.ms)
        return np.array(self.group.fired) > 0


PEERS = {"neuron": Neuron, "brian2": Brian}


def fires(peer, states, amplitude, width_ms: float = 1.0) -> np.ndarray:
    """Return whether a pulse fires each axon: v > -20 mV in it (m > 0.5), or in 4 ms after."""
    peer.start(states)
    during = peer.run(amplitude, width_ms, 0.5)
    return during | peer.run(0.0 * amplitude, 4.0)
