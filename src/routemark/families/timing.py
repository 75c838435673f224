"""Scheduling: timetables, common free time, plans with dependencies, and rotas."""

from __future__ import annotations

import datetime as dt
import itertools
from random import Random

from routemark.families.base import CLOCK, Draft, bullets, clock, exact, family, listed, numeric, table
from routemark.families.calendar import FIRST, long_date
from routemark.families.names import WEEKDAYS, people

_LINES = (
    (
        "Timetable of a valley bus. Every column is one run; a dash means that the run does not stop there.",
        ("Aldbrook", "Mill Cross", "Tarn", "Upper Fell", "Watergate"),
    ),
    (
        (
            "Timetable of a lake steamer. Every column is one run; a dash means that the steamer does not"
            " call there."
        ),
        ("Pier Road", "Swan Point", "Larch Bay", "Old Priory", "North Quay"),
    ),
    (
        (
            "Timetable of a mountain train. Every column is one run; a dash means that the train does not"
            " stop there."
        ),
        ("Base", "Chapel", "Gorge", "Lookout", "Summit"),
    ),
    (
        (
            "Timetable of a night bus line. Every column is one run; a dash means that the run passes without"
            " stopping."
        ),
        ("Depot", "Elm Street", "Fair Ground", "Gas Works", "Hill Top"),
    ),
)


@family("easy", "scheduling", quotes=True)
def timetable(rng: Random) -> Draft | None:
    """Latest departure that arrives in time."""
    intro, stops = rng.choice(_LINES)
    runs: list[list[int | None]] = []
    for start in sorted(rng.sample(range(6 * 60, 20 * 60, 5), 7)):
        times, now = [], start
        for k in range(5):
            times.append(None if 0 < k < 4 and rng.random() < 0.3 else now)
            now += rng.randint(6, 19)
        runs.append(times)
    a, b = rng.choice([(0, 2), (1, 3), (1, 4), (2, 4), (0, 3)])
    both = [(run[a], run[b]) for run in runs]
    pairs = [(leave, arrive) for leave, arrive in both if leave is not None and arrive is not None]
    if len(pairs) < 4:
        return None
    limit = pairs[rng.randint(1, len(pairs) - 2)][1] + rng.randint(0, 9)
    leave = max(x for x, y in pairs if y <= limit)
    later = any(x > leave for x, _ in pairs)
    misleading = any(x is None and y is not None and y <= limit + 30 for x, y in both) or any(
        y is None and x is not None and leave < x <= limit for x, y in both
    )
    if not misleading or not later or leave < 600:
        return None
    rows = [
        [name, *("-" if run[k] is None else clock(run[k] or 0) for run in runs)]
        for k, name in enumerate(stops)
    ]
    text = (
        f"{intro}\n\n{table(rows[0], rows[1:])}\n\nSomeone must travel from {stops[a]} to {stops[b]} without"
        f" changing and be there at {clock(limit)} at the latest. What is the latest time at which this"
        f" person can leave {stops[a]}? Answer in the form HH:MM."
    )
    return exact(text, clock(leave))


@family("easy", "scheduling", quotes=True)
def common_free_time(rng: Random) -> Draft | None:
    """The earliest time at which all are free long enough."""
    names = people(rng, rng.choice([3, 4]))
    length = rng.choice([30, 45, 60])
    busy: dict[str, list[tuple[int, int]]] = {}
    for name in names:
        marks = sorted(rng.sample(range(8 * 60, 18 * 60, 15), 8))
        busy[name] = [(marks[k], marks[k + 1]) for k in range(0, 8, 2)]
    opens, closes = 8 * 60, 18 * 60
    taken = sorted(span for spans in busy.values() for span in spans)
    free_from = opens
    for start, end in taken:
        if start - free_from >= length:
            break
        free_from = max(free_from, end)
    if free_from + length > closes or free_from < opens + 120:
        return None
    lines = bullets(
        f"{name}: " + ", ".join(f"{clock(a)}-{clock(b)}" for a, b in spans) for name, spans in busy.items()
    )
    text = (
        "These people are busy on one day at these times (a new appointment may begin at the minute at which"
        f" another ends):\n{lines}\nThey want to meet all together for {length} minutes without a break,"
        f" between {clock(opens)} and {clock(closes)}. At what time can the meeting begin at the earliest?"
        f" {CLOCK}"
    )
    return exact(text, clock(free_from))


_PROJECTS = (
    (
        "A theatre prepares a play",
        "script casting stage costumes lights music rehearsal posters tickets opening",
    ),
    ("A town builds a footbridge", "survey plans permit steel piers deck railing paint lamps inspection"),
    (
        "A museum sets up an exhibition",
        "concept loans transport rooms cases labels lighting catalogue guides vernissage",
    ),
)


@family("hard", "scheduling")
def project_plan(rng: Random) -> Draft | None:
    """When a plan with dependencies ends after one task is late."""
    intro, words = rng.choice(_PROJECTS)
    tasks = words.split()
    days = {task: rng.randint(2, 12) for task in tasks}
    after: dict[str, list[str]] = {}
    for k, task in enumerate(tasks):
        pool = tasks[max(0, k - 4) : k]
        after[task] = (
            sorted(rng.sample(pool, min(len(pool), rng.choice([1, 1, 2, 2, 3]))), key=tasks.index)
            if k > 1
            else []
        )
    late, extra = rng.choice(tasks[1:-1]), rng.randint(3, 9)

    def end(lengths: dict[str, int]) -> int:
        finished: dict[str, int] = {}
        for task in tasks:
            finished[task] = lengths[task] + max((finished[t] for t in after[task]), default=0)
        return max(finished.values())

    plain, delayed = end(days), end({**days, late: days[late] + extra})
    needed = {other for others in after.values() for other in others}
    if plain == delayed or delayed - plain == extra or len(needed) < 8:
        return None
    order = rng.sample(tasks, len(tasks))
    lines = bullets(
        f"{task}: {days[task]} days, {'after ' + listed(after[task]) if after[task] else 'can begin at once'}"
        for task in order
    )
    text = (
        f'{intro}. A task begins as soon as all the tasks named behind "after" are finished, and tasks may'
        f" run side by side without limit:\n{lines}\nUnfortunately, {late} takes {extra} days longer than"
        " listed. How many days does the whole project take, from the beginning to the end of the last task?"
    )
    return numeric(rng, text, delayed)


_DUTIES = (
    ("The night shift of a clinic", "has the night shift"),
    ("The telephone duty of a law firm", "answers the telephone"),
    ("The key duty of a sports hall", "has the key"),
)


@family("hard", "scheduling", quotes=True)
def rota(rng: Random) -> Draft | None:
    """Who is on duty on a date, after swaps and days off."""
    intro, does = rng.choice(_DUTIES)
    names = people(rng, rng.choice([4, 5, 6]))
    rng.shuffle(names)
    start = FIRST + dt.timedelta(days=rng.randrange(700))
    closed = rng.choice([5, 6])
    days = [start + dt.timedelta(days=k) for k in range(75)]
    holidays = sorted(rng.sample([day for day in days[3:50] if day.weekday() != closed], 2))
    if start.weekday() == closed:
        return None
    turns = itertools.cycle(names)
    plan = {day: next(turns) for day in days if day.weekday() != closed and day not in holidays}
    later = [day for day in plan if day > start + dt.timedelta(days=36)]
    one, two, asked = (rng.choice(later) for _ in range(3))
    if rng.random() < 0.6:
        asked = one
    if plan[one] == plan[two]:
        return None
    answer = {one: plan[two], two: plan[one]}.get(asked, plan[asked])
    text = (
        f"{intro} goes round in this order, one person a day: {', '.join(names)}, and then from the"
        f" beginning. {names[0]} begins on {WEEKDAYS[start.weekday()]}, {long_date(start)}. There is no duty"
        f" on any {WEEKDAYS[closed]}, nor on the holidays {long_date(holidays[0])} and"
        f" {long_date(holidays[1])}; the order goes on on the next day with the person whose turn it is."
        f" After the plan was made, the person whose turn it was on {long_date(one)} and the person whose"
        f" turn it was on {long_date(two)} swapped these two days. Who {does} on {long_date(asked)}? Answer"
        " with the name only."
    )
    return exact(text, answer)


FAMILIES = (timetable, common_free_time, project_plan, rota)
