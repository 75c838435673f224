"""The viewer as an ASGI application: its pages, the streams of a live run and of an export, and the tags."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import msgspec
import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from routemark import drift
from routemark.config import Settings
from routemark.drift import content_key
from routemark.errors import RoutemarkError, UsageError
from routemark.records import ResultRow, Run
from routemark.report import bundle, compare
from routemark.report.rows import Csv
from routemark.rundir import LATEST, RunDirectory
from routemark.viewer import lists, live, pages, tags
from routemark.viewer.child import LISTING
from routemark.viewer.elsewhere import everywhere
from routemark.viewer.figures import Told
from routemark.viewer.filters import STATUSES, Filter
from routemark.viewer.guard import Guard, Token
from routemark.viewer.opened import Library, OpenRun, Working, positions
from routemark.viewer.shelf import state_of, summary_of
from routemark.viewer.trials import Reader

_STATIC = Path(__file__).parent / "static"
_REPORT = Path(__file__).parents[1] / "report" / "static"
_FILES = {
    "report.css": (_REPORT, "text/css"),
    "charts.js": (_REPORT, "text/javascript"),
    "viewer.css": (_STATIC, "text/css"),
    "viewer.js": (_STATIC, "text/javascript"),
    "icon.svg": (_STATIC, "image/svg+xml"),
}
_MAX_FORM = 1 << 16
"""Bytes of a form."""
MAX_ANSWERS = 100
"""Answers found on one page of a search in answers."""
PAGE_PATIENCE_S = 3.0
"""Seconds that who opens a summary waits for it, before hearing that it is being made: charts take one of them."""
MAX_SO_FAR = 5
"""Runs without a summary of which the list tells how far they are."""


def create_app(library: Library, port: int, ending: Callable[[], bool] = lambda: False) -> Starlette:
    """Build the viewer; ``ending`` tells streams that the server stops."""
    views = _Views(library, ending)
    run = "/runs/{run}"
    routes = [
        Route("/", views.runs),
        Route("/compare", views.compare),
        Route("/static/{name}", _static),
        Route(run, views.run),
        Route(f"{run}/live", views.live),
        Route(f"{run}/events", views.events),
        Route(f"{run}/tags", views.tag, methods=["POST"]),
        Route(f"{run}/questions", views.questions),
        Route(f"{run}/questions/{{n:int}}", views.question),
        Route(f"{run}/questions/{{n:int}}/everywhere", views.everywhere),
        Route(f"{run}/answers", views.answers),
        Route(f"{run}/export.csv", views.csv),
        Route(f"{run}/export.jsonl", views.jsonl),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, port=port)],
        exception_handlers={
            Working: views.working,
            RoutemarkError: views.wrong,
            OSError: views.wrong,
            HTTPException: views.refused,
        },
    )


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name == "vega.js":
        return Response(bundle.vega(), media_type="text/javascript")
    if name not in _FILES:
        raise HTTPException(404)
    folder, kind = _FILES[name]
    return Response((folder / name).read_bytes(), media_type=kind)


class _Views:
    """The pages. Those that read files are plain functions, which the server runs in threads."""

    def __init__(self, library: Library, ending: Callable[[], bool]) -> None:
        self._library = library
        self._ending = ending
        self._templates = pages.environment()
        self._token = Token()

    def _page(self, template: str, /, *, code: int = 200, **shown: Any) -> Response:
        made = self._templates.get_template(f"{template}.html.j2")
        return HTMLResponse(made.render(shown), code)

    def _opened(self, request: Request) -> OpenRun:
        opened = self._library.open(request.path_params["run"])
        if opened is None:
            raise HTTPException(404, "There is no such run in this directory.")
        return opened

    def _about(self, opened: OpenRun, run: Run) -> dict[str, Any]:
        """Give what every page of a run shows of it."""
        directory = opened.directory
        return {
            "run": run,
            "name": directory.path.name,
            "state": state_of(directory, run),
            "tags": tags.read(directory),
            "token": self._token.value,
        }

    # ------------------------------------------------------------------------------- what is wrong

    def working(self, request: Request, error: Exception) -> Response:  # noqa: ARG002 - as Starlette wants it
        """Say how far something is; the page asks again by itself."""
        assert isinstance(error, Working)
        return self._page("working", code=202, work=error)

    def wrong(self, request: Request, error: Exception) -> Response:  # noqa: ARG002 - as Starlette wants it
        """Say what cannot be shown, and why."""
        return self._page("wrong", code=500, title="This cannot be shown", said=str(error))

    def refused(self, request: Request, error: Exception) -> Response:  # noqa: ARG002 - as Starlette wants it
        """Say that there is no such page."""
        assert isinstance(error, HTTPException)
        return self._page("wrong", code=error.status_code, title="Not here", said=error.detail)

    # ------------------------------------------------------------------------------------ the runs

    def runs(self, request: Request) -> Response:
        """Answer ``/``."""
        shown = pages.runs(self._library.shelf.listed(), request.query_params)
        left = [one.name for one in shown["runs"] if one.state in {"running", "interrupted"}]
        return self._page("runs", **shown, so_far={name: self._so_far(name) for name in left[:MAX_SO_FAR]})

    def _so_far(self, name: str) -> live.SoFar | None:
        """Tell how far a run is; None while its journal is read, and where it cannot be."""
        opened = self._library.open(name)
        try:
            return None if opened is None else live.so_far(opened.reader())
        except (Working, RoutemarkError, OSError):  # one such run does not hide the others
            return None

    def run(self, request: Request) -> Response:
        """Answer ``/runs/RUN``: the summary; of a run under way, the live page until figures are asked for."""
        if request.path_params["run"] == LATEST and self._library.shelf.find(LATEST) is None:
            return self._latest()
        opened = self._opened(request)
        run = opened.directory.read()
        found = summary_of(opened.directory, run)
        if found is None and request.query_params.get("figures") != "now":
            return self._page("live", **self._about(opened, run), here="summary")
        reader, result = opened.reader(), self._library.jobs.result
        version = _version(opened, reader)
        if found is None:
            told = result(
                ("figures", *version),
                "Working out the figures so far",
                lambda: self._library.figures.of(opened.directory, opened.folder),
            )
        else:
            told = result(
                ("lists", *version),
                LISTING,
                lambda: Told(found, lists.of_run(reader, run, found, opened.folder)),
                patience_s=PAGE_PATIENCE_S,
            )
        shown = result(
            ("shown", *version),
            "Drawing the charts",
            lambda: pages.summary(opened, reader, told),
            patience_s=PAGE_PATIENCE_S,
        )
        return self._page("run", **{**self._about(opened, run), **shown}, here="summary")

    def _latest(self) -> Response:
        """Answer ``/runs/latest``, as the link of this name in the directory would."""
        for newest in self._library.shelf.listed():
            return RedirectResponse(f"/runs/{quote(newest.name)}", 307)
        raise HTTPException(404, "There is no run in this directory yet.")

    def live(self, request: Request) -> Response:
        """Answer ``/runs/RUN/live``."""
        opened = self._opened(request)
        return self._page("live", **self._about(opened, opened.directory.read()), here="live")

    async def events(self, request: Request) -> Response:
        """Answer ``/runs/RUN/events``: the state of the run, again whenever it changes."""
        opened = await run_in_threadpool(self._opened, request)
        found = live.stream(opened, request.headers.get("last-event-id", ""), self._ending)
        return StreamingResponse(_while_heard(found, request), media_type="text/event-stream")

    async def tag(self, request: Request) -> Response:
        """Answer the form of tags: write them, and show the run again."""
        opened = await run_in_threadpool(self._opened, request)
        form = parse_qs((await _body(request)).decode("utf-8", "replace"), keep_blank_values=True)
        if not self._token.is_in(form.get("token", [""])[0]):
            raise HTTPException(403, "This form is of an earlier start of the viewer. Load its page again.")
        await run_in_threadpool(tags.write, opened.directory, tags.parse(form.get("tags", [""])[0]))
        return RedirectResponse(f"/runs/{quote(opened.directory.path.name)}", 303)

    # ----------------------------------------------------------------------------------- questions

    def questions(self, request: Request) -> Response:
        """Answer ``/runs/RUN/questions``: one page of those that the filter in the URL leaves."""
        opened, wanted = self._opened(request), Filter.parse(request.query_params)
        reader = opened.reader()
        shown = pages.questions(reader, opened.select(reader, wanted), wanted)
        about = self._about(opened, reader.table.run)
        return self._page("list", **about, **shown, here="questions")

    def question(self, request: Request) -> Response:
        """Answer ``/runs/RUN/questions/N``: one question, with its neighbours in what the filter leaves."""
        opened, wanted = self._opened(request), Filter.parse(request.query_params)
        reader, n = opened.reader(), request.path_params["n"]
        question = _question(reader, n)
        place = reader.table.place_of(n)
        before, behind = (None, None) if place is None else positions(opened.select(reader, wanted), place)
        at = reader.table.question
        return self._page(
            "question",
            **self._about(opened, reader.table.run),
            here="questions",
            filter=wanted,
            number=n,
            question=question,
            conversation=pages.conversation(question),
            answers=pages.answers(reader, place),
            before=None if before is None else int(at[before]),
            behind=None if behind is None else int(at[behind]),
        )

    def everywhere(self, request: Request) -> Response:
        """Answer ``/runs/RUN/questions/N/everywhere``: the same question in all runs."""
        opened = self._opened(request)
        reader, n = opened.reader(), request.path_params["n"]
        question = _question(reader, n)
        found = self._library.jobs.result(
            ("everywhere", content_key(question), self._shelf_version()),
            "Looking into all runs",
            lambda: everywhere(self._library, question),
        )
        about = self._about(opened, reader.table.run)
        return self._page("everywhere", **about, here="questions", number=n, question=question, found=found)

    def _shelf_version(self) -> tuple[Any, ...]:
        """Give what changes when a run of the shelf does."""
        names = sorted(one.name for one in self._library.shelf.path.iterdir())
        journals = (self._library.shelf.path / name / "journal.jsonl" for name in names)
        return tuple((str(path), path.stat().st_size) for path in journals if path.is_file())

    def answers(self, request: Request) -> Response:
        """Answer ``/runs/RUN/answers``: what a search in answers finds, as it finds it."""
        opened, wanted = self._opened(request), Filter.parse(request.query_params)
        reader = opened.reader()
        words = request.query_params.get("words", "")[:400].split()
        start = request.query_params.get("from", "")
        first = int(start) if start.isascii() and start.isdigit() and len(start) < 12 else 0
        rows = np.flatnonzero(opened.select(reader, wanted).rows)
        hits = reader.having(rows[rows >= first].tolist(), words) if words else iter(())
        template = self._templates.get_template("answers.html.j2")
        body = template.stream(
            **self._about(opened, reader.table.run),
            here="answers",
            filter=wanted,
            words=" ".join(words),
            hits=islice(((row, *_found(reader, row), text) for row, text in hits), MAX_ANSWERS),
            most=MAX_ANSWERS,
            searched=len(rows),
        )
        return StreamingResponse((part.encode() for part in body), media_type="text/html")

    # ------------------------------------------------------------------------------------- exports

    def csv(self, request: Request) -> Response:
        """Answer ``/runs/RUN/export.csv``: the trials that the filter is about."""
        return self._exported(request, "csv", _csv_pieces)

    def jsonl(self, request: Request) -> Response:
        """Answer ``/runs/RUN/export.jsonl``."""
        return self._exported(request, "jsonl", _json_pieces)

    def _exported(
        self, request: Request, ending: str, write: Callable[[Iterator[ResultRow]], Iterator[str]]
    ) -> Response:
        opened, wanted = self._opened(request), Filter.parse(request.query_params)
        reader = opened.reader()
        rows = reader.rows(np.flatnonzero(opened.select(reader, wanted).rows).tolist())
        kind = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}[ending]
        name = f"{opened.directory.path.name}{'-filtered' if wanted.narrows else ''}.{ending}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(write(rows), media_type=kind, headers=headers)

    # ------------------------------------------------------------------------------------- compare

    def compare(self, request: Request) -> Response:
        """Answer ``/compare``: two runs beside each other."""
        names = [request.query_params.get(side, "") for side in ("a", "b")]
        shown: dict[str, Any] = {"listed": self._library.shelf.listed(), "a": names[0], "b": names[1]}
        if not all(names):
            return self._page("compare", **shown, drift=None, blocks=[], said="")
        directories = [self._directory(name) for name in names]
        sizes = [d.journal.stat().st_size if d.journal.exists() else 0 for d in directories]
        try:
            found = self._library.jobs.result(
                ("compare", *names, *sizes),
                "Comparing the runs",
                lambda: drift.compare(*directories, margin=_margin(directories[0])),
            )
        except UsageError as error:  # nothing to compare: said in the page, where others can be chosen
            return self._page("compare", **shown, drift=None, blocks=[], said=str(error))
        return self._page("compare", **shown, drift=found, blocks=list(compare.blocks(found)), said="")

    def _directory(self, name: str) -> RunDirectory:
        directory = self._library.shelf.find(name)
        if directory is None:
            raise HTTPException(404, "There is no such run in this directory.")
        return directory


def _margin(directory: RunDirectory) -> float:
    return msgspec.convert(directory.read().settings, Settings).margin


def _version(opened: OpenRun, reader: Reader) -> tuple[Any, ...]:
    """Give what changes when what there is to say of a run does."""
    results, head = opened.directory.results, reader.index.head
    written_at = results.stat().st_mtime_ns if results.exists() else 0
    return opened.directory.path, reader.table.run.status, head.size, head.mark, written_at


def _question(reader: Reader, n: int) -> Any:
    if n >= len(reader.questions):
        raise HTTPException(404, "There is no such question in this run.")
    return reader.questions[n]


def _found(reader: Reader, row: int) -> tuple[int, str, str, str]:
    """Give number and id of the question of a trial, its arm, and what became of it."""
    n = int(reader.table.prompts.in_order[reader.table.rank[row]])
    arm = reader.table.run.all_arms[int(reader.table.arm[row])].name
    return n, reader.questions[n].id, arm, STATUSES[reader.table.status[row]]


def _csv_pieces(rows: Iterator[ResultRow]) -> Iterator[str]:
    with io.StringIO(newline="") as file:
        sink = Csv(file)
        for some in _batches(rows):
            for row in some:
                sink.row(row)
            yield file.getvalue()
            file.seek(0)
            file.truncate()


def _json_pieces(rows: Iterator[ResultRow]) -> Iterator[str]:
    encode = msgspec.json.Encoder().encode
    return ("".join(encode(row).decode() + "\n" for row in some) for some in _batches(rows))


def _batches(rows: Iterator[ResultRow], size: int = 50) -> Iterator[list[ResultRow]]:
    """Yield rows, so many at a time; at least once."""
    some = list(islice(rows, size))
    while True:
        yield some
        some = list(islice(rows, size))
        if not some:
            return


async def _body(request: Request) -> bytes:
    """Give the body of a form. Raises HTTPException for what is too long for one."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MAX_FORM:
            raise HTTPException(413, "That is too long.")
    return body


async def _while_heard(found: AsyncIterator[str], request: Request) -> AsyncIterator[str]:
    """Pass events on while somebody listens."""
    async for event in found:
        if await request.is_disconnected():
            return
        yield event
