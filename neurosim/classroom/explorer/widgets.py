"""The explorer's sliders in a notebook: widgets alone; picture and sentences come from elsewhere.

ipywidgets and ipympl are imported inside functions. A move is answered after a short wait, so that
several moves in a row cause one simulation, of the latest.
"""

from __future__ import annotations

import asyncio
import html
import sys
import warnings
from base64 import b64encode
from importlib.util import find_spec
from typing import Any

from neurosim.base import backends
from neurosim.base.errors import NeurosimError
from neurosim.classroom.explorer.plot import HEIGHT_IN, WIDTH_IN, ExplorerFigure
from neurosim.classroom.explorer.settings import (
    HEALTH,
    SEVERITY_STEP,
    Explorer,
    ExplorerSetting,
    Response,
    Slider,
    all_sliders,
    explorer_conditions,
)
from neurosim.model.muscle.anatomy import MUSCLES
from neurosim.view.style import BLUE, VERMILION, muscle_words

WAIT_S = 0.02  # for moves that come together
LABEL_PX, READOUT_PX = 168, 66
STYLE = f"""<style>
.neurosim-explorer {{ font-size: 15px; color: #111; }}
.neurosim-explorer .widget-label, .neurosim-explorer select, .neurosim-explorer button,
.neurosim-explorer .widget-readout {{ font-size: 15px; color: #111; }}
.neurosim-explorer .widget-readout {{ min-width: {READOUT_PX - 8}px; width: {READOUT_PX - 8}px; }}
.neurosim-explorer .neurosim-note {{ line-height: 17px; white-space: nowrap; }}
.neurosim-explorer .neurosim-note small {{ font-size: 13px; color: #444; }}
.neurosim-explorer .neurosim-note b {{ float: left; width: {LABEL_PX}px; text-align: right;
  margin-left: -{LABEL_PX + 14}px; padding-right: 14px; }}
.neurosim-explorer .neurosim-note .track {{ position: relative; height: 5px; background: #ddd; }}
.neurosim-explorer .neurosim-note .usual {{ position: absolute; height: 5px; min-width: 4px;
  background: {BLUE}; }}
.neurosim-explorer .noUi-handle:focus, .neurosim-explorer select:focus,
.neurosim-explorer button:focus, .neurosim-explorer .widget-readout:focus {{
  outline: 3px solid {VERMILION} !important; outline-offset: 2px; }}
.neurosim-explorer img {{ width: 100%; aspect-ratio: {WIDTH_IN} / {HEIGHT_IN}; }}
.neurosim-explorer .jupyter-matplotlib-figure, .neurosim-explorer .jupyter-matplotlib-canvas-div,
.neurosim-explorer .jupyter-matplotlib-canvas-container {{ width: 100% !important; margin: 0; }}
.neurosim-explorer .jupyter-matplotlib-canvas-div {{ height: auto !important;
  aspect-ratio: {WIDTH_IN} / {HEIGHT_IN}; }}
.neurosim-explorer canvas {{ width: 100% !important; height: 100% !important; }}
.neurosim-explorer canvas + canvas {{ display: none !important; }}
.neurosim-explorer .neurosim-words .widget-html-content {{ line-height: 1.4; font-size: 15.5px;
  color: #111; }}
.neurosim-explorer h1 {{ font-size: 21px; margin: 0; }}
.neurosim-explorer .neurosim-head {{ font-size: 14.5px; color: #111; }}
.neurosim-explorer .neurosim-left {{ container-type: inline-size; }}
@container (max-width: 450px) {{ .neurosim-explorer .neurosim-note {{ white-space: normal; }} }}
@media (min-width: 1700px) {{
  .neurosim-explorer .neurosim-left {{ max-width: 580px !important; }}
  .neurosim-explorer .widget-label, .neurosim-explorer select, .neurosim-explorer button,
  .neurosim-explorer .widget-readout {{ font-size: 16px; }}
  .neurosim-explorer .neurosim-note small {{ font-size: 15px; }}
  .neurosim-explorer .neurosim-words .widget-html-content {{ font-size: 20px; }}
}}
</style>"""
HEAD = """<h1>From a blood value to a muscle twitch</h1><div class="neurosim-head">
Move a slider, see what this person's muscle does. Blue bars: what is usual, the reference range of
healthy adults.</div>"""
# Names for the elements that ipywidgets leaves without one: the handles of sliders, the canvas, and
# the sentences as a live region, which a screen reader reads when they change.
NAMES = """
if (!window.neurosimNames) {
  const set = (element, name, value) => {
    if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
  };
  const all = () => document.querySelectorAll(".neurosim-explorer").forEach(root => {
    root.querySelectorAll(".widget-slider").forEach(slider => {
      const label = slider.querySelector(".widget-label"), note = slider.nextElementSibling;
      const handle = slider.querySelector(".noUi-handle");
      const value = slider.querySelector(".widget-readout");
      if (label && note) set(handle, "aria-label", `${label.textContent}, ${note.textContent}`);
      if (value) set(handle, "aria-valuetext", value.textContent);
    });
    const words = root.querySelector(".neurosim-words .widget-html-content");
    set(words, "role", "status");
    set(words, "aria-live", "polite");
    const frame = root.querySelector(".jupyter-matplotlib-canvas-div");
    set(frame, "tabindex", "-1");  // it would keep the focus for ever
    root.querySelectorAll("canvas").forEach(canvas => {
      set(canvas, "role", "img");
      if (words) set(canvas, "aria-label", words.textContent);
    });
  });
  window.neurosimNames = new MutationObserver(all);
  window.neurosimNames.observe(document.body, {childList: true, subtree: true});
  all();
}
"""


class Sliders:
    """Sliders, picture and words of one person; a notebook shows it as the value of a cell.

    Parameters
    ----------
    explorer : Explorer
    start : ExplorerSetting
    canvas : bool, optional
        Whether the picture is a canvas of ipympl; if omitted, where that is installed.

    Attributes
    ----------
    sliders : dict of FloatSlider
        By the names of `neurosim.classroom.explorer.settings.all_sliders`, and ``"severity"``.
    condition, muscle : Dropdown
    reset : Button
    sentences : HTML
        The response in words.
    box : VBox
        Everything together.

    Raises
    ------
    NeurosimError
        If ipywidgets, or an ipympl that is asked for, is not installed.
    """

    def __init__(
        self, explorer: Explorer, start: ExplorerSetting, *, canvas: bool | None = None
    ) -> None:
        self._explorer, self._start = explorer, start
        self._waiting: asyncio.TimerHandle | None = None
        self._held = False
        if find_spec("ipywidgets") is None:
            raise NeurosimError("Sliders need ipywidgets: pip install ipywidgets.")
        if canvas is None:
            canvas = find_spec("ipympl") is not None
        self._make_controls(start)
        self._make_picture(canvas)
        self._make_box()
        self._update()
        moving = [*self.sliders.values(), self.condition, self.muscle]
        for widget in moving:
            widget.observe(self._on_move, "value")
        self.reset.on_click(self._on_reset)

    def _on_reset(self, _: Any) -> None:
        self.reset_to_health()

    # --- What it is made of ---------------------------------------------------------

    def _make_controls(self, start: ExplorerSetting) -> None:
        ipywidgets = _widgets()
        wide = {"width": "100%"}  # every widget copies it
        usual = {"layout": wide, "style": {"description_width": f"{LABEL_PX}px"},
                 "description_allow_html": True}  # fmt: skip
        self.sliders = {name: _slider(k, usual) for name, k in all_sliders().items()}
        self._notes = {name: ipywidgets.HTML(layout=wide) for name in (*all_sliders(), "severity")}
        self.condition: Any = ipywidgets.Dropdown(
            options=[(title, name) for name, title in explorer_conditions().items()],
            value=start.condition,
            description="Condition",
            **usual,
        )
        self.sliders["severity"] = ipywidgets.FloatSlider(
            value=start.severity,
            min=0.0,
            max=1.0,
            step=SEVERITY_STEP,
            readout_format=".2f",
            description="How severe",
            **usual,
        )
        self._notes["severity"].value = _html_row(
            "<small><b>changed:</b> 0 none to 1 severe</small>"
        )
        self.muscle: Any = ipywidgets.Dropdown(
            options=[(muscle_words(name), name) for name in MUSCLES],
            value=start.muscle,
            description="Muscle",
            **usual,
        )
        self.reset = ipywidgets.Button(description="Reset to health", layout={"width": "100%"})

    def _make_picture(self, canvas: bool) -> None:
        ipywidgets = _widgets()
        self._is_canvas = canvas
        self._figure = ExplorerFigure(_ipympl_canvas() if canvas else None)
        self.picture: Any = self._figure.canvas if canvas else ipywidgets.HTML()
        self.picture.layout.width = "100%"

    def _make_box(self) -> None:
        ipywidgets = _widgets()
        rows: list[Any] = []
        for name in all_sliders():
            rows += [self.sliders[name], self._notes[name]]
        rows += [
            self.condition,
            self.sliders["severity"],
            self._notes["severity"],
            self.muscle,
            self.reset,
        ]
        self.sentences = ipywidgets.HTML()
        self.sentences.add_class("neurosim-words")
        controls = ipywidgets.VBox(rows, layout={"flex": "1 1 340px", "max_width": "480px"})
        controls.add_class("neurosim-left")
        view = ipywidgets.VBox(
            [self.picture, self.sentences],
            layout={"flex": "3 1 470px", "min_width": "0", "padding": "0 0 0 22px"},
        )
        columns = ipywidgets.HBox([controls, view], layout={"flex_flow": "row wrap"})
        head = ipywidgets.HTML(f"{STYLE}{HEAD}")
        self.box = ipywidgets.VBox([head, columns], layout={"width": "100%"})
        self.box.add_class("neurosim-explorer")

    # --- What happens ---------------------------------------------------------------

    @property
    def setting(self) -> ExplorerSetting:
        """The positions of the sliders."""
        return ExplorerSetting(
            {name: self.sliders[name].value for name in all_sliders()},
            self.condition.value,
            self.sliders["severity"].value,
            self.muscle.value,
        )

    @property
    def response(self) -> Response:
        """The model's response to the sliders, or to their last position that is possible."""
        if self._waiting is not None:
            self._update()
        return self._response

    def reset_to_health(self) -> None:
        """Put every slider and menu back."""
        self._held = True
        for name, k in all_sliders().items():
            self.sliders[name].value = k.healthy
        self.sliders["severity"].value = self._start.severity
        self.condition.value, self.muscle.value = HEALTH, self._start.muscle
        self._held = False
        self._on_move()

    def _on_move(self, change: Any = None) -> None:
        """Answer a move: after a short wait where an event loop runs, otherwise at once."""
        if self._held or self._waiting is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._update()
        else:
            self._waiting = loop.call_later(WAIT_S, self._update)

    def _update(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._mark()
        if not backends.is_compiled():
            self.sentences.value = f"Computing. {backends.SLOWNESS}"
        try:
            self._response = self._explorer.respond(self.setting)
        except NeurosimError as error:
            self.sentences.value = (
                f"<b>Not possible:</b> {html.escape(str(error))} "
                "The picture still shows the body before."
            )
            return
        self._figure.update(self._response)
        if self._is_canvas:
            self._figure.draw()
        else:
            data = b64encode(self._figure.png_bytes()).decode("ascii")
            alt = html.escape(self._response.text(), quote=True)
            self.picture.value = (
                f'<img decoding="sync" alt="{alt}" src="data:image/png;base64,{data}">'
            )
        self.sentences.value = self._response.html()

    def _mark(self) -> None:
        """Mark the labels of everything that is not at its healthy value."""
        moved = self.setting.moved_sliders
        for name, k in all_sliders().items():
            label = _slider_label(k)
            self.sliders[name].description = f"<b>{label}</b>" if name in moved else label
            self._notes[name].value = _slider_note(k, self.sliders[name].value, name in moved)
        ill = self.condition.value != HEALTH
        self.condition.description = "<b>Condition</b>" if ill else "Condition"
        for part in (self.sliders["severity"], self._notes["severity"]):
            part.layout.display = None if ill else "none"

    # --- How a notebook shows it ----------------------------------------------------

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return the widget, and the sentences where no widget can be shown."""
        bundle = self.box._repr_mimebundle_()
        return {**(bundle or {}), "text/plain": "\n".join(map(str, self.response.sentences()))}

    def _ipython_display_(self) -> None:
        from IPython.display import (
            Javascript,
            display,  # pyright: ignore[reportUnknownVariableType] its types are incomplete
        )

        if self._is_canvas:
            self.picture.syncing_data_url = True
            self.picture._repr_mimebundle_()  # gives the canvas its size and first picture
            self.picture.syncing_data_url = False
        display(self._repr_mimebundle_(), raw=True)
        display(Javascript(NAMES))


def _widgets() -> Any:
    """Return ipywidgets, whose types are incomplete."""
    import ipywidgets  # pyright: ignore[reportMissingTypeStubs] scipy has no types

    return ipywidgets


def _slider(k: Slider, usual: dict[str, Any]) -> Any:
    ipywidgets = _widgets()
    places = max(0, len(f"{k.step:g}".partition(".")[2]))
    return ipywidgets.FloatSlider(
        value=k.healthy,
        min=k.lowest,
        max=k.highest,
        step=k.step,
        description=_slider_label(k),
        readout_format=f".{places}f",
        **usual,
    )


def _slider_label(k: Slider) -> str:
    return k.label[:1].upper() + k.label[1:]


def _slider_note(k: Slider, value: float, moved: bool) -> str:
    """Return the note below a slider: its reference range, drawn and in words, and a mark."""
    span = k.highest - k.lowest
    start, width = 100 * (k.low - k.lowest) / span, 100 * (k.high - k.low) / span
    side = k.side(value) if k.high > k.low else ""
    # Below the label, in CSS: beside the range there is no room for both.
    mark = f"<b>changed{', ' + side.upper() if side else ''}:</b> " if moved else ""
    return _html_row(
        f'<div class="track" style="margin-right:{READOUT_PX + 2}px" aria-hidden="true">'
        f'<div class="usual" style="left:{start:.1f}%;width:{width:.1f}%"></div></div>'
        f"<small>{mark}{k.range_words()}</small>"
    )


def _html_row(content: str) -> str:
    return f'<div class="neurosim-note" style="margin-left:{LABEL_PX + 14}px">{content}</div>'


def _ipympl_canvas() -> Any:
    """Return a function that gives a figure an interactive canvas, without a global backend.

    Raises
    ------
    NeurosimError
        If ipympl is not installed.
    """
    if find_spec("ipympl") is None:
        raise NeurosimError("A canvas needs ipympl: pip install ipympl.")
    # Importing ipympl makes it the backend of every figure if it finds Matplotlib loaded.
    import matplotlib

    del sys.modules["matplotlib"]
    try:
        import ipympl  # noqa: F401  # pyright: ignore[reportMissingTypeStubs, reportUnusedImport] for what it does
    finally:
        sys.modules["matplotlib"] = matplotlib
    from ipympl.backend_nbagg import Canvas, FigureManager  # pyright: ignore[reportMissingTypeStubs] scipy has no types

    def make(figure: Any) -> Any:
        with warnings.catch_warnings():  # of what ipympl passes to its own parents
            warnings.simplefilter("ignore", DeprecationWarning)
            canvas = Canvas(figure)
            FigureManager(canvas, 0)
        canvas.syncing_data_url = False  # what it would send is no address of a picture
        canvas.toolbar_visible, canvas.resizable = False, False
        canvas.header_visible = canvas.footer_visible = False
        return canvas

    return make
