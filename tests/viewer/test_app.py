"""The viewer over HTTP: its pages, who may ask for them, what stays inside, and that hostile text does not act."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from urllib.parse import quote, urlencode

import msgspec
import pytest

import journals
import report_factory as factory
from routemark import main
from routemark.journal import encode
from routemark.records import Question, Summary
from routemark.rundir import RunDirectory
from viewing import Client, serving

ASKED = journals.questions(70)


def conclude(path) -> None:
    """Write results.json as a run does at its end."""
    directory = RunDirectory(path)
    main.summarise(directory, files=[directory.results])


def hostile_questions() -> list[Question]:
    texts = {**factory.HOSTILE, "long": "<&\"' " * 41_000}
    return [
        Question(
            id=f"{name} {text[:80]}", difficulty=text[:80], category=text[:80], question=text, reference=text,
            choices=[text[:200], "B"], messages=[{"role": text[:60], "content": text}],
        )
        for name, text in texts.items()
    ]  # fmt: skip


def hostile_lines(asked):
    for question in asked:
        for arm in journals.ARMS[:2]:
            text = question.question
            yield encode(
                journals.outcome(
                    question, arm, text=text, model=factory.NAME, reasoning=text, refusal=text[:300], task_type=text[:99],
                    tool_calls=[{"name": text[:99]}], finish_reason=text[:30], generation_id=text[:99], request_id=text[:99],
                )
            )  # fmt: skip
            for reason in (text[:300], "again"):
                yield encode(
                    msgspec.structs.replace(
                        journals.grade(question, arm, 0.0), extracted=text[:200], reason=reason
                    )
                )
        broken = journals.failed(question, journals.ARMS[2])
        yield encode(
            msgspec.structs.replace(
                broken, failure=msgspec.structs.replace(broken.failure, message=text[:500], kind="odd<b>")
            )
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view")
    runs = folder / "runs"
    conclude(journals.make(runs, "first", ASKED, journals.full(ASKED)))
    conclude(
        journals.make(runs, "second", ASKED, journals.full(ASKED, seed=8), started_at="2026-12-01T10:00:00Z")
    )
    asked = hostile_questions()
    hostile = journals.make(
        runs, "hostile", asked, hostile_lines(asked), simulated=False, stop_reason="<b>stop</b>"
    )
    (hostile / "tags.json").write_text(json.dumps(["<b>bold</b>", "\x1b[31mred"]))
    half = journals.make(runs, "half", ASKED, list(journals.full(ASKED))[:200], status="running")
    (runs / "latest").symlink_to("second")
    (folder / "secret").mkdir()
    for file in half.iterdir():
        (folder / "secret" / file.name).write_bytes(file.read_bytes())
        (folder / file.name).write_bytes(file.read_bytes())
    (runs / "outside").symlink_to(folder / "secret")
    (runs / "files").mkdir()
    for name in ("run.json", "questions.json", "journal.jsonl"):
        (runs / "files" / name).symlink_to(folder / "secret" / name)
    (runs / "no run").mkdir()
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text("{")
    return folder


@pytest.fixture(scope="module")
def client(folder):
    with serving(folder / "runs") as client:
        yield client


PAGES = [
    "/", "/compare", "/compare?a=first&b=second", "/runs/first", "/runs/first/live", "/runs/first/questions",
    "/runs/first/questions?status=wrong&disagree=1&sort=cost&page=1", "/runs/first/questions/3",
    "/runs/first/questions/3/everywhere", "/runs/first/answers", "/runs/first/answers?words=final", "/runs/half",
    "/runs/half?figures=now", "/runs/half/questions",
]  # fmt: skip
HOSTILE = [
    "/?q=%3Cb%3E", "/runs/hostile", "/runs/hostile?figures=now", "/runs/hostile/questions", "/runs/hostile/answers?words=%3C",
    *(f"/runs/hostile/questions/{n}" for n in range(9)), "/runs/hostile/questions/0/everywhere",
    "/runs/hostile/questions?" + urlencode(dict.fromkeys(("q", "arm", "model", "difficulty"), factory.HOSTILE["script"])),
    "/runs/hostile/answers?" + urlencode({"words": factory.HOSTILE["style"], "arm": factory.HOSTILE["script"]}),
    "/runs/hostile/questions?" + urlencode({"model": factory.NAME}), f"/compare?a=first&b={quote('<b>')}",
]  # fmt: skip


class Tags(HTMLParser):
    """Collects tags with their attributes, and the text that is read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


OWN = {"report.css", "viewer.css", "viewer.js", "vega.js", "charts.js", "icon.svg"}


@pytest.mark.parametrize("path", [*PAGES, *HOSTILE])
def test_a_page_is_whole_and_nothing_foreign_is_in_it(client: Client, path):
    answer = client.get(path)
    assert answer.status == (404 if path.startswith("/compare?a=first&b=%3C") else 200)
    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'self'; script-src 'self'"
    )
    tags = Tags(answer.text)
    assert ('class="simulated' in answer.text) is (path in PAGES[2:])
    names = [name for name, _ in tags.found]
    assert names.count("html") == names.count("title") == names.count("h1") == 1
    assert not {"img", "iframe", "object", "embed", "base", "style", "marquee"} & set(names)
    for name, attributes in tags.found:
        assert not [one for one in attributes if one.startswith("on")], attributes
        assert "style" not in attributes or name == "svg"
        for link in ("src", "href", "action"):
            target = attributes.get(link) or "/"
            assert target.startswith(("/", "#")), target
            assert not target.startswith("//")
        if name in {"script", "link"} and attributes.get("type") != "application/json":
            assert re.fullmatch(r"/static/([\w.]+)", attributes.get("src") or attributes.get("href") or ""), (
                attributes
            )
    for bad in ("\x1b", "\u202e", "\u200b", "\x9b", "\U000e0041"):
        assert bad not in answer.text


def test_simulated_is_said_in_the_list(client: Client):
    assert client.get("/").text.count('class="sim"') == 3


def test_the_list_tells_of_each_run_in_short_and_can_be_searched(client: Client):
    text = client.get("/").text
    names = re.findall(r'class="name" href="/runs/([\w]+)', text)
    assert names[0] == "second"
    assert sorted(names) == ["first", "half", "hostile", "second"]
    assert "4 of 4 runs" in text
    assert "routemark resume half" in text
    assert "of 280 trials" in text.partition("half")[2]
    assert re.findall(r'class="name" href="/runs/(\w+)', client.get("/?state=interrupted").text) == ["half"]
    assert re.findall(r'class="name" href="/runs/(\w+)', client.get("/?q=SECOND").text) == ["second"]
    assert "0 of 4 runs" in client.get("/?q=nothing").text


def test_the_run_page_shows_what_the_report_shows(client: Client, folder):
    summary = json.loads((folder / "runs/first/results.json").read_text())["summary"]
    found = msgspec.convert(summary, Summary)
    text = Tags(client.get("/runs/first").text).text.replace("\N{NO-BREAK SPACE}", " ")
    assert found.verdict.sentence in text
    assert "Compared, question by question" in text
    for arm in journals.ARMS:
        assert arm in text


def test_who_answered_what_is_counted_as_in_the_report(client: Client, folder, tmp_path):
    main.summarise(RunDirectory(folder / "runs/first"), files=[tmp_path / "report.html"])
    heat = re.compile(r'<table class="heat">.*?</table>', re.DOTALL)
    shared = heat.findall((tmp_path / "report.html").read_text())
    assert shared
    assert heat.findall(client.get("/runs/first").text) == shared


def test_the_lists_are_the_reports_with_links_to_questions(client: Client, folder, tmp_path):
    main.summarise(RunDirectory(folder / "runs/first"), files=[tmp_path / "report.html"])
    lists = re.compile(r'<section aria-labelledby="h-list-.*?</section>', re.DOTALL)
    shared = lists.findall((tmp_path / "report.html").read_text())
    own = lists.findall(client.get("/runs/first").text)
    assert len(shared) == 2
    links = re.findall(r'<a href="/runs/first/questions/(\d+)">q0*(\d+)</a>', "".join(own))
    assert links
    assert all(int(n) == int(shown) for n, shown in links)
    without = re.compile(r' href="[^"]*"')
    assert [without.sub("", one) for one in own] == [without.sub("", one) for one in shared]
    assert (folder / "runs/first/index/lists.json").is_file()


def test_the_parts_of_the_summary_are_linked_to_each_by_its_name(client: Client):
    text = client.get("/runs/first").text
    nav = re.search(r'<nav class="contents".*?</nav>', text, re.DOTALL)
    assert nav is not None
    targets = re.findall(r'href="#([^"]+)"', nav[0])
    assert {"h-picture", "h-arms", "h-list-1", "h-list-2", "h-made"} <= set(targets)
    assert all(f'id="{target}"' in text for target in targets)


def test_figures_of_a_run_without_a_summary_are_worked_out_when_asked_for(client: Client):
    assert 'id="live"' in client.get("/runs/half").text
    text = client.get("/runs/half?figures=now").text
    assert "Still running" in text
    assert "Compared, question by question" in text


def test_a_question_shows_every_answer_side_by_side(client: Client):
    text = Tags(client.get("/runs/first/questions/3").text).text
    assert "What is 3 + 3?" in text
    assert "Reference: 6" in text
    for arm in journals.ARMS:
        assert journals.key("q000003", arm) in text
    assert text.count("Final answer: 4") + text.count("Provider returned error") >= 4


def test_a_question_of_all_runs_leaves_out_those_with_another_content(client: Client):
    text = client.get("/runs/first/questions/3/everywhere").text
    assert re.findall(r'<h2 id="h-\d"><a href="/runs/(\w+)/questions/3"', text)[0] == "second"
    assert set(re.findall(r'<a href="/runs/(\w+)/questions/3"', text)) >= {"first", "second", "half"}
    other = client.get("/runs/hostile/questions/0/everywhere").text
    assert "in 1 run<" in other


def test_pages_of_the_list_hold_every_question_once(client: Client):
    ids = []
    for page in (1, 2):
        ids += re.findall(r'questions/(\d+)">q', client.get(f"/runs/first/questions?page={page}").text)
    assert sorted(map(int, ids)) == list(range(70))
    assert "Page 2 of 2" in client.get("/runs/first/questions?page=77").text


def test_answers_are_searched_to_the_end_in_steps(client: Client, monkeypatch):
    monkeypatch.setattr("routemark.viewer.app.MAX_ANSWERS", 100)
    path, found = "/runs/first/answers?words=FINAL%204", []
    while path:
        text = client.get(path).text
        found += re.findall(r'<li><a href="/runs/first/questions/(\d+)', text)
        more = re.search(r'rel="next" href="([^"]+)"', text)
        path = more[1].replace("&amp;", "&") if more else ""
    rows = [json.loads(line) for line in client.get("/runs/first/export.jsonl").text.splitlines()]
    assert len(found) == sum(row["status"] == "ok" for row in rows)
    assert "<mark>Final</mark> answer: <mark>4</mark>" in text
    assert "0 answers found" in client.get("/runs/first/answers?words=elephant").text


# ------------------------------------------------------------------------------------- exports


def test_the_export_is_what_results_json_holds(client: Client, folder):
    rows = [json.loads(line) for line in client.get("/runs/first/export.jsonl").text.splitlines()]
    assert rows == json.loads((folder / "runs/first/results.json").read_text())["results"]
    table = list(csv.DictReader(io.StringIO(client.get("/runs/first/export.csv").text)))
    assert [row["id"] for row in table] == [row["id"] for row in rows]
    main.summarise(RunDirectory(folder / "runs/first"), files=[folder / "own.csv"])
    assert client.get("/runs/first/export.csv").body == (folder / "own.csv").read_bytes()


def test_the_export_is_of_what_is_filtered(client: Client):
    arm = journals.ARMS[1]
    answer = client.get(
        f"/runs/first/export.jsonl?{urlencode({'arm': arm, 'status': 'wrong', 'difficulty': 'hard'})}"
    )
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert rows
    assert {(row["arm"], row["grade"]["score"], row["difficulty"]) for row in rows} == {(arm, 0.0, "hard")}
    assert answer.headers["content-disposition"] == 'attachment; filename="first-filtered.jsonl"'
    assert client.get("/runs/first/export.csv?arm=nobody").text.count("\n") == 1


def test_no_cell_of_the_csv_is_a_formula(client: Client):
    csv.field_size_limit(1 << 22)
    for row in csv.reader(io.StringIO(client.get("/runs/hostile/export.csv").text)):
        assert not [
            cell for cell in row if cell[:1] in {"=", "+", "-", "@"} and not re.fullmatch(r"-?[\d.e-]+", cell)
        ]


# ----------------------------------------------------------------------------------- who may ask


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:{port}.evil.example",
        "[::1]:{port}",
        "0.0.0.0:{port}",
    ],
)
def test_a_request_under_another_name_is_refused(client: Client, host):
    host = host.format(port=client.port)
    for path in ("/", "/runs/first/export.jsonl", "/runs/first/events"):
        answer = client.send("GET", path, Host=host)
        assert answer.status in {400, 421}
        assert b"first" not in answer.body


def test_localhost_is_this_server_too(client: Client):
    assert client.send("GET", "/", Host=f"localhost:{client.port}").status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
def test_a_request_from_another_origin_is_refused(client: Client, origin):
    origin = origin.format(port=client.port)
    assert client.send("GET", "/runs/first/export.jsonl", Origin=origin).status == 403
    body = urlencode({"token": token(client), "tags": "x"}).encode()
    assert client.send("POST", "/runs/first/tags", body, Origin=origin).status == 403


def token(client: Client) -> str:
    return re.search(r'name="token" value="([^"]+)"', client.get("/runs/first").text)[1]


def test_tags_are_written_only_with_the_token_and_from_here(client: Client, folder):
    file, own = folder / "runs/first/tags.json", f"http://127.0.0.1:{client.port}"
    good = urlencode({"token": token(client), "tags": "keep, <b>bold</b> , keep, \x1b[31mred"}).encode()
    for body, origin in [
        (urlencode({"tags": "x"}).encode(), own),
        (urlencode({"tags": "x", "token": "no"}).encode(), own),
        (urlencode({"tags": "x", "token": "\u2713"}).encode(), own),
        (good, ""),
    ]:
        assert client.send("POST", "/runs/first/tags", body, Origin=origin).status == 403
    assert client.send("GET", "/runs/first/tags").status == 405
    assert client.send("POST", "/runs/nowhere/tags", good, Origin=own).status == 404
    assert client.send("POST", "/runs/first/tags", b"x" * 70_000, Origin=own).status == 413
    assert not file.exists()
    answer = client.send("POST", "/runs/first/tags", good, Origin=own)
    assert (answer.status, answer.headers["location"]) == (303, "/runs/first")
    assert json.loads(file.read_text()) == ["keep", "<b>bold</b>", "red"]
    text = client.get("/?tag=keep").text
    assert "1 of 4 runs" in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text


# --------------------------------------------------------------------------- nothing leads outside


@pytest.mark.parametrize(
    "name",
    [
        "..", "../secret", "%2e%2e", "..%2fsecret", "%2e%2e%2fsecret", "first%2f..%2f..%2fsecret", "first/../../secret",
        "outside", "files", "latest", ".", "", "%00", "first%00", "no%20run", "..\\secret", "%5c..", "run.json",
        "\u2025", "first%0a", "~", "/etc", "%2fetc", "%252e%252e",
    ],
)  # fmt: skip
def test_no_name_leads_out_of_the_directory(client: Client, name):
    for rest in ("", "/questions", "/questions/0", "/export.jsonl", "/events", "/answers?words=final"):
        answer = client.send("GET", f"/runs/{quote(name, safe='%/')}{rest}")
        assert answer.status in {307, 400, 404}, (name, rest)
        assert b"q00000" not in answer.body
    assert client.send("GET", f"/compare?a=first&b={quote(name, safe='%')}").status in {200, 404}


def test_latest_leads_to_the_newest_run_as_its_link_does(client: Client):
    answer = client.send("GET", "/runs/latest")
    assert (answer.status, answer.headers["location"]) == (307, "/runs/second")


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "nothing.js", "", "report.js"])
def test_only_its_own_files_are_served(client: Client, name):
    assert client.send("GET", f"/static/{name}").status == 404
    for own in OWN:
        assert client.send("GET", f"/static/{own}").status == 200


@pytest.mark.parametrize("n", ["70", "999999999999999999999", "-1", "x", "1.5", "%32"])
def test_a_question_that_is_not_there_is_a_page_that_says_so(client: Client, n):
    answer = client.send("GET", f"/runs/first/questions/{n}")
    assert answer.status == (200 if n == "%32" else 404)


def test_a_manifest_that_cannot_be_read_hides_no_other_run(client: Client):
    answer = client.get("/runs/broken")
    assert answer.status == 500
    assert "cannot be read" in answer.text
    assert "broken" not in client.get("/").text


def test_the_runs_directory_may_hold_a_damaged_journal(folder, client: Client):
    path = journals.make(
        folder / "runs",
        "damaged",
        ASKED[:2],
        [b"{no}\n", encode(journals.outcome(ASKED[0], journals.ARMS[0]))],
    )
    try:
        answer = client.get("/runs/damaged/questions")
        assert answer.status == 500
        assert "damaged at byte" in answer.text
        assert "Traceback" not in answer.text
        event = client.events("/runs/damaged/events", 1)[0]
        assert "damaged at byte" in event["data"]["error"]
    finally:
        for file in path.iterdir():
            if file.is_file():
                file.unlink()
