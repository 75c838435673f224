"use strict";
// Filters without loading the page anew, keys, and the live page. Every page but the live one is complete without it.
(() => {
  // ---- filters: the URL is the state; what it leaves is fetched and put in place
  const narrow = (form) => {
    let pending, asked = 0;
    const urlOf = () => {
      const query = new URLSearchParams();
      for (const [name, value] of new FormData(form)) {
        if (value !== "" && !(name === "sort" && value === "plan")) query.append(name, value);
      }
      return form.action + (query.size ? `?${query}` : "");
    };
    const fetched = async (url) => {
      try {
        const answer = await fetch(url);
        if (answer.status !== 200) return null;
        return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("results");
      } catch {
        return null;
      }
    };
    const show = async (url) => {
      const mine = ++asked;
      document.getElementById("results").classList.add("waiting");
      const found = await fetched(url);
      if (mine !== asked) return;
      if (found === null) {
        location.assign(url);
        return;
      }
      document.getElementById("results").replaceWith(found);
      history.replaceState(null, "", url);
    };
    // a list with a run under way is kept fresh while nobody is at it
    setInterval(async () => {
      const results = document.getElementById("results"), mine = asked;
      if (document.hidden || results.querySelector(".state.running") === null) return;
      const found = await fetched(location.href);
      if (found !== null && mine === asked && !results.contains(document.activeElement)) results.replaceWith(found);
    }, 5000);
    const soon = (ms) => {
      clearTimeout(pending);
      pending = setTimeout(() => show(urlOf()), ms);
    };
    form.addEventListener("input", (event) => soon(event.target.type === "search" ? 200 : 0));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      soon(0);
    });
  };
  document.querySelectorAll("form[data-narrow]").forEach(narrow);

  // ---- keys
  const typing = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;
  const step = (by) => {
    const links = [...document.querySelectorAll(".questions th[scope=row] a, .hits li > a, .runs .name")];
    if (links.length === 0) return;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1);
    links[next].focus();
    links[next].scrollIntoView({ block: "nearest" });
  };
  const follow = (selector) => document.querySelector(selector)?.click();
  const keys = {
    "/": () => document.querySelector("input[type=search]")?.focus(),
    j: () => step(1),
    k: () => step(-1),
    n: () => follow("a[rel=next]"),
    p: () => follow("a[rel=prev]"),
    u: () => follow("header .pager a"),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  // ---- a run under way
  const live = document.getElementById("live");
  if (live === null) return;
  const at = (id) => document.getElementById(id);
  const say = (id, text) => {
    if (at(id).textContent !== text) at(id).textContent = text;
  };
  const cell = (tag, text, className = "") => {
    const made = document.createElement(tag);
    if (tag === "th") made.scope = "row";
    if (className) made.className = className;
    if (text instanceof Node) made.append(text);
    else made.textContent = text;
    return made;
  };
  const link = (n, text) => {
    if (n === undefined) return text ?? "";
    const made = document.createElement("a");
    made.href = `${live.dataset.run}/questions/${n}`;
    made.textContent = text;
    return made;
  };
  const rows = (id, made, none) => {
    if (made.length === 0) {
      const empty = cell("td", none, "text");
      empty.colSpan = 9;
      const row = document.createElement("tr");
      row.append(empty);
      made = [row];
    }
    const titles = [...at(id).parentElement.querySelectorAll("thead th")].map((title) => title.textContent);
    for (const one of made) {
      for (const [i, part] of [...one.children].entries()) {
        if (i && part.colSpan === 1) part.dataset.title = titles[i];
      }
    }
    const focused = document.activeElement?.closest(`#${id}`) && document.activeElement.getAttribute("href");
    at(id).replaceChildren(...made);
    if (focused) at(id).querySelector(`a[href="${focused}"]`)?.focus();
  };
  const row = (...cells) => {
    const made = document.createElement("tr");
    made.append(...cells);
    return made;
  };
  const whole = (n) => n.toLocaleString("en");
  const age = (since) => {
    const s = Math.max(0, Date.now() / 1000 - since);
    return s < 120 ? `${Math.floor(s)} s` : `${Math.floor(s / 60)} min`;
  };
  const HEADLINES = { running: "Under way", interrupted: "Interrupted", stopped: "Stopped", complete: "Complete" };
  const MARKS = { right: "\u2713", wrong: "\u2717", partial: "\u00bd", failed: "!", "not graded": "\u2026" };
  const SVG = "http://www.w3.org/2000/svg";
  let seen = 0;

  const drawBins = (bins, faults) => {
    const most = Math.max(...bins.map((count, i) => count + faults[i]), 1), width = 600 / Math.max(bins.length, 30);
    const bar = (i, from, count, className) => {
      const made = document.createElementNS(SVG, "rect");
      const height = 84 * count / most, y = 88 - 84 * from / most - height;
      for (const [name, value] of Object.entries({ x: i * width + 0.5, y, width: width - 1, height, class: className })) {
        made.setAttribute(name, value);
      }
      return made;
    };
    at("bins").replaceChildren(...bins.flatMap((count, i) => [bar(i, 0, count, "b-trial"), bar(i, count, faults[i], "b-fault")]));
  };
  const newest = (one) => {
    const grade = document.createElement("span");
    const mark = cell("span", MARKS[one.status], `m m-${one.status[0]}`);
    mark.setAttribute("aria-hidden", "true");
    grade.append(mark, ` ${one.status === "not graded" ? "not graded yet" : one.status} ${one.kind}`);
    const made = row(
      cell("th", link(one.n, one.id)), cell("td", one.arm, "text"), cell("td", one.model, "text"),
      cell("td", grade, "text"), cell("td", one.cost), cell("td", one.latency),
    );
    if (seen && one.key > seen) made.className = "fresh";
    return made;
  };
  const open = (one) => {
    if (one.more) {
      const rest = cell("td", `and ${whole(one.more)} more`, "text");
      rest.colSpan = 9;
      return row(rest);
    }
    const since = cell("td", age(one.since));
    since.dataset.since = one.since;
    return row(
      cell("th", link(one.n, one.id ?? "beside the plan")), cell("td", one.arm ?? "", "text"), since,
      cell("td", one.generation, "text"),
    );
  };
  const show = (state) => {
    say("headline", HEADLINES[state.state]);
    const banner = document.querySelector(".simulated");
    if (state.simulated && banner?.hidden) { // the first answer told it
      banner.hidden = false;
      document.title = `SIMULATED - ${document.title}`;
    }
    document.querySelectorAll("header .state").forEach((tag) => {
      tag.className = `state ${state.state}`;
      tag.textContent = state.state;
    });
    at("reading").hidden = state.state === "running";
    say("reading", {
      running: "",
      interrupted: "No process is at work on it: routemark resume goes on.",
      stopped: state.reason,
      complete: "It has come to its end.",
    }[state.state]);
    at("bar").max = Math.max(state.planned, 1);
    at("bar").value = state.done;
    say("done", `${whole(state.done)} of ${whole(state.planned)}`);
    say("joined", state.joined ? `and ${whole(state.joined)} of models that were picked` : "");
    say("spent", state.spent);
    say("foreseen", [
      state.foreseen && `about ${state.foreseen} in all`, state.cap && `at most ${state.cap}`,
      state.judged && `${state.judged} on judging`, state.unknown && `not known of ${state.unknown}`,
    ].filter(Boolean).join(", "));
    say("rate", state.rate ? `${state.rate} a second` : "n/a");
    say("limit", [
      state.limit && `up to ${state.limit} in flight`, state.peak && `${state.peak} at most so far`,
    ].filter(Boolean).join(", "));
    say("failed", state.failed);
    say("kinds", [
      ...state.failures.filter((one) => one.trials !== "0").slice(0, 3).map((one) => `${one.kind} ${one.trials}`),
      state.attempts && `${state.attempts} failed in all`,
    ].filter(Boolean).join(", "));
    at("last").hidden = state.last === null || state.state !== "running";
    at("ago").dataset.since = state.last ?? "";
    say("ago", age(state.last ?? 0));
    at("span").hidden = state.bins.length === 0;
    say("width", `${whole(state.bin_s)} s`);
    drawBins(state.bins, state.faults);
    rows("arms", state.arms.map((one) => row(
      cell("th", one.arm), cell("td", one.done), cell("td", one.right), cell("td", one.waiting),
      cell("td", one.failed), cell("td", one.cost),
    )), "None yet.");
    rows("failures", state.failures.map((one) => row(
      cell("th", one.kind), cell("td", one.trials), cell("td", one.attempts), cell("td", one.advice, "text"),
    )), "None.");
    rows("open", state.open.map(open), "None.");
    rows("newest", state.newest.map(newest), "None yet.");
    seen = Math.max(seen, ...state.newest.map((one) => one.key));
    at("state").hidden = false;
  };

  const connect = () => {
    const source = new EventSource(`${live.dataset.run}/events`);
    source.addEventListener("state", (event) => {
      const state = JSON.parse(event.data);
      at("link").hidden = true;
      live.dataset.id = event.lastEventId;
      if (state.reading !== undefined || state.error !== undefined) {
        at("reading").hidden = false;
        say("reading", state.error ?? `Reading the journal: ${state.reading}.`);
        return;
      }
      show(state);
    });
    source.addEventListener("over", () => {
      source.close();
      const summary = Object.assign(document.createElement("a"), { href: live.dataset.run, textContent: "See the summary." });
      at("reading").append(" ", summary);
    });
    source.addEventListener("open", () => { at("link").hidden = true; });
    source.addEventListener("error", () => {
      at("link").hidden = false;
      say("link", "The viewer does not answer. This page tries again by itself.");
      // after a refusal the browser does not try again: begin anew
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
    });
  };
  connect();
  setInterval(() => {
    document.querySelectorAll("[data-since]").forEach((one) => { one.textContent = age(Number(one.dataset.since)); });
  }, 1000);
})();
