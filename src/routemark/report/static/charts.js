"use strict";
// Draws the charts, and lets the price of a right answer and the mix of difficulties move in the first one.
// Without this script the page has the same figures in tables.
(() => {
  const data = JSON.parse(document.getElementById("chart-data").textContent);

  // ---------------------------------------------------------------- numbers, as routemark.numbers writes them
  const plain = (value, digits) => {
    const rounded = Number(value.toPrecision(digits));
    const places = digits - 1 - Math.floor(Math.log10(Math.abs(rounded)));
    return rounded.toFixed(Math.max(places, digits));
  };
  const usd = (amount) => {
    const size = Math.abs(amount), sign = amount < 0 ? "-$" : "$";
    if (size === 0) return "$0";
    if (size >= 999.995) return sign + Math.round(size).toLocaleString("en-US");
    return sign + (size >= 0.0995 ? size.toFixed(2) : plain(size, 2));
  };
  const percent = (fraction) => {
    if (fraction > 0 && fraction < 0.0005) return "<0.1 %";
    if (fraction >= 0.9995 && fraction < 1) return ">99.9 %";
    return `${(100 * fraction).toFixed(1)} %`;
  };
  const bounds = (interval, write) => (interval ? ` [${write(interval[0])}, ${write(interval[1])}]` : "");
  const percentInterval = (value, interval) => percent(value) + bounds(interval, (end) => (100 * end).toFixed(1));
  const usdInterval = (value, interval) => usd(value) + bounds(interval, (end) => usd(end).replace("$", ""));

  // ---------------------------------------------------------------- statistics, as analysis.stats.strata and analysis.controls.value
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const quadratic = (weights, matrix) => dot(weights, matrix.map((row) => dot(weights, row)));
  const known = (weights, moments) => weights.every((weight, h) => weight === 0 || moments.clusters[h] >= 2);
  const quantile = (degrees) => data.t[Math.min(degrees, data.t.length) - 1];
  const degreesOf = (weights, moments) => {
    const parts = weights.map((weight, h) => weight * weight * moments.covariance[h][h]);
    const free = moments.clusters.map((clusters) => clusters - 1);
    const used = parts.map((_, h) => h).filter((h) => free[h] > 0);
    const below = used.reduce((sum, h) => sum + (parts[h] * parts[h]) / free[h], 0);
    const most = used.reduce((sum, h) => sum + free[h], 0);
    const total = parts.reduce((sum, part) => sum + part, 0);
    return Math.max(1, below <= 0 ? most : Math.min(most, Math.floor((total * total) / below + 1e-9)));
  };
  const wilson = (p, n, z) => {
    const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
    const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
    return [p === 0 ? 0 : Math.max(0, centre - half), p === 1 ? 1 : Math.min(1, centre + half)];
  };
  const weightedAccuracy = (weights, moments) => {
    if (!known(weights, moments)) return null;
    const p = Number(dot(weights, moments.mean).toFixed(12));
    const variance = quadratic(weights, moments.covariance);
    const rows = moments.n.reduce((sum, n, h) => sum + (weights[h] > 0 ? n : 0), 0);
    const alike = 1 / weights.reduce((sum, w, h) => sum + (w > 0 ? (w * w) / moments.clusters[h] : 0), 0);
    let size = alike;
    if (p !== 0 && p !== 1) size = variance > 0 ? Math.max(alike, Math.min(rows, (p * (1 - p)) / variance)) : rows;
    return { value: p, interval: wilson(p, size, quantile(degreesOf(weights, moments))) };
  };
  const weightedCost = (weights, moments) => {
    if (!known(weights, moments)) return null;
    const mean = dot(weights, moments.mean);
    const half = quantile(degreesOf(weights, moments)) * Math.sqrt(quadratic(weights, moments.covariance));
    const factor = mean > 0 ? Math.exp(half / mean) : 1;
    return { value: 1000 * mean, interval: mean > 0 ? [(1000 * mean) / factor, 1000 * mean * factor] : null };
  };
  // Net benefit of a pair at a price: what it is, and how far from 0 it must be to be sure. Null where too few
  // answers tell it, see routemark.analysis.sureness.
  const benefit = (pair, weights, price) => {
    if (!pair.whole.length) return null;
    if (!weights) {
      const [d, c, dd, dc, cc, t] = pair.whole;
      return { value: price * d - c, half: t * Math.sqrt(Math.max(0, price * price * dd + cc - 2 * price * dc)) };
    }
    const answers = weights.reduce((sum, weight, h) => sum + (weight > 0 ? pair.score.n[h] : 0), 0);
    if (answers < data.fewest || !known(weights, pair.score)) return null;
    const d = dot(weights, pair.score.mean), c = dot(weights, pair.cost.mean);
    const dd = quadratic(weights, pair.score.covariance), cc = quadratic(weights, pair.cost.covariance);
    const dc = quadratic(weights, pair.cross);
    const t = quantile(degreesOf(weights, pair.score));
    return { value: price * d - c, half: t * Math.sqrt(Math.max(0, price * price * dd + cc - 2 * price * dc)) };
  };
  const standing = (pair, weights, price) => {
    const found = benefit(pair, weights, price);
    if (!found) return "open";
    return found.value - found.half > 0 ? "better" : found.value + found.half < 0 ? "worse" : "open";
  };

  // ---------------------------------------------------------------- mixtures and bounds, as routemark.report.mixtures has them
  // A mean over the difficulties; rows: [accuracy, cost per 1,000] of each, null where it is not known.
  const mean = (weights, rows) => {
    if (!rows || rows.some((row, h) => weights[h] > 0 && !row)) return null;
    return [0, 1].map((k) => weights.reduce((sum, weight, h) => sum + (weight > 0 ? weight * rows[h][k] : 0), 0));
  };
  const mixed = (weights, shares) => {
    const total = {};
    shares.forEach((share, h) => {
      for (const [arm, part] of Object.entries(share)) total[arm] = (total[arm] ?? 0) + weights[h] * part;
    });
    const parts = Object.entries(total).filter(([, share]) => share > 0);
    const means = parts.map(([arm]) => mean(weights, data.mixtures.means[arm]));
    if (!parts.length || means.includes(null)) return null;
    const all = parts.reduce((sum, [, share]) => sum + share, 0); // below 1 where a difficulty got no answer
    return [0, 1].map((k) => parts.reduce((sum, [, share], i) => sum + (share / all) * means[i][k], 0));
  };
  const boundsOn = (weights) => {
    const { mixes, oracle } = data.mixtures;
    const found = mixes.map(({ short, shares }) => ({ short, kind: "mix", point: mixed(weights, shares) }));
    if (oracle) found.push({ short: oracle.short, kind: "oracle", point: mean(weights, oracle.means) });
    return found.filter(({ point }) => point && point[1] > 0).map(({ short, kind, point: [accuracy, cost] }) => ({
      short, kind, accuracy, cost, said_accuracy: percent(accuracy), said_cost: usd(cost),
    }));
  };
  const isBelow = (a, b, c) => (b.accuracy - a.accuracy) * (c.cost - a.cost) <= (c.accuracy - a.accuracy) * (b.cost - a.cost);
  // The best mixtures of two fixed models, see routemark.analysis.controls.hull; straight, hence curved on a logarithmic axis.
  const hullOf = (arms) => {
    const vertices = [];
    for (const arm of [...arms].sort((a, b) => a.cost - b.cost || b.accuracy - a.accuracy)) {
      if (vertices.length && arm.accuracy <= vertices.at(-1).accuracy) continue;
      while (vertices.length > 1 && isBelow(vertices.at(-2), vertices.at(-1), arm)) vertices.pop();
      vertices.push(arm);
    }
    return vertices.slice(1).flatMap((dear, i) => Array.from({ length: 21 }, (_, step) => {
      const share = (step / 20) ** 2; // denser at the cheap end
      return ["cost", "accuracy"].map((field) => vertices[i][field] + share * (dear[field] - vertices[i][field]));
    })).map(([cost, accuracy]) => ({ cost, accuracy })).filter(({ cost }) => cost > 0);
  };
  const poolOn = (weights) => data.mixtures.pool.map((arm) => mean(weights, data.mixtures.means[arm]))
    .filter(Boolean).map(([accuracy, cost]) => ({ accuracy, cost }));
  const sweepsOf = (arms) => data.mixtures.sweeps.flatMap((names, of) =>
    names.map((name) => arms.find(({ arm }) => arm === name)).filter((arm) => arm && arm.cost > 0)
      .map(({ cost, accuracy }) => ({ of, cost, accuracy })));

  // ---------------------------------------------------------------- drawing
  // Names stand where they cover nothing; one that finds no place is left out, its number stays.
  const placeNames = (spec) => {
    for (const [names, base, offset] of [["names", "dots", 14], ["bound_names", "bounds", 9]]) {
      const mark = spec.marks.find((one) => one.name === `${names}_marks`);
      if (!mark || !spec.marks.some((one) => one.name === `${base}_marks`)) continue;
      const { fill, fontSize, fontStyle } = mark.encode.update;
      mark.from = { data: `${base}_marks` };
      mark.encode = { update: { text: { field: "datum.short" }, fill, fontSize, fontStyle } };
      mark.transform = [{
        type: "label", size: { signal: "[max(1, width), max(1, height)]" }, padding: 0, avoidBaseMark: true,
        avoidMarks: ["upright_marks", "level_marks", ...(names === "names" ? [] : ["dots_marks", "names_marks"])],
        anchor: ["right", "left", "top-right", "bottom-right", "top-left", "bottom-left", "top", "bottom"],
        offset: Array(8).fill(offset),
      }];
    }
    return spec;
  };
  // In a page that is one file the library is packed, and the page's policy knows the hash of what is in it.
  const unpackLibrary = async () => {
    const packed = document.getElementById("vega");
    if (!packed) return;
    const bytes = Uint8Array.from(atob(packed.textContent), (character) => character.charCodeAt(0));
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.text = await new Response(unpacked).text();
    document.head.append(script);
  };
  const draw = async (name) => {
    const place = document.getElementById(`chart-${name}`);
    if (!place) return null;
    place.closest("figure").hidden = false;
    const { view } = await vegaEmbed(place, data.charts[name], {
      ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true },
      logLevel: 1, // errors alone: an optional layer without data is no fault
      ...(name === "cost" && { patch: placeNames }),
    });
    return view;
  };

  // ---------------------------------------------------------------- controls
  const start = data.charts.cost?.datasets.arms ?? [];
  const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  // Vega marks the rows it was given; it must get new ones.
  const fresh = (rows) => rows.map((row) => Object.fromEntries(Object.entries(row)));
  const MOST_NAMED = 6;
  const listed = (names) => names.slice(0, MOST_NAMED).join(", ")
    + (names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "");

  class Controls {
    constructor(view) {
      this.view = view;
      this.worth = document.getElementById("worth");
      this.mix = document.getElementById("mix");
      this.shares = [...(this.mix?.querySelectorAll("input[type=range]") ?? [])];
      this.range = document.getElementById("worth-range");
      this.number = document.getElementById("worth-number");
      this.scale = [this.range.dataset.low, this.range.dataset.high].map((end) => Math.log10(Number(end)));
      this.range.min = this.scale[0];
      this.range.max = this.scale[1];
      for (const button of this.worth.querySelectorAll("[data-usd]")) {
        const mark = element("option", "");
        mark.value = Math.log10(Number(button.dataset.usd));
        document.getElementById("worth-marks").append(mark);
        button.addEventListener("click", () => this.setPrice(Number(button.dataset.usd)));
      }
      this.range.addEventListener("input", () => this.setPrice(10 ** Number(this.range.value), this.range));
      this.number.addEventListener("input", () => {
        if (Number(this.number.value) > 0) this.setPrice(Number(this.number.value), this.number);
      });
      this.worth.addEventListener("submit", (event) => event.preventDefault());
      this.mix?.addEventListener("submit", (event) => event.preventDefault());
      this.mix?.addEventListener("input", () => this.weigh());
      this.mix?.addEventListener("reset", () => setTimeout(() => this.weighAsBefore()));
      this.weighAsBefore(false);
      this.setPrice(Number(this.range.dataset.start));
      this.worth.hidden = false;
      if (this.mix) this.mix.hidden = false;
    }

    setPrice(price, by) {
      this.price = price;
      if (by !== this.range) this.range.value = Math.log10(price);
      if (by !== this.number) this.number.value = Number(price.toPrecision(3));
      this.range.setAttribute("aria-valuetext", usd(price));
      this.show();
    }

    weighAsBefore(show = true) {
      const own = this.shares.map((input) => Number(input.dataset.share));
      this.weights = data.weighted ? own : null;
      this.arms = fresh(start);
      if (this.mix) this.sayShares(own);
      if (this.mix) document.getElementById("weighted").hidden = true;
      if (show) this.show();
    }

    weigh() {
      const raw = this.shares.map((input) => Number(input.value));
      const total = raw.reduce((sum, value) => sum + value, 0);
      if (!total) return;
      this.weights = raw.map((value) => value / total);
      this.sayShares(this.weights);
      const moments = new Map(data.moments.arms.map((arm) => [arm.arm, arm]));
      this.arms = start.flatMap((arm) => {
        const own = moments.get(arm.arm);
        const found = own ? this.weighed(own) : this.meanAlone(arm.arm);
        return found ? [{ ...arm, ...found }] : [];
      });
      this.showTable();
      this.show();
    }

    weighed(own) {
      const accuracy = weightedAccuracy(this.weights, own.score);
      const cost = weightedCost(this.weights, own.cost);
      return accuracy && cost && {
        accuracy: accuracy.value, cost: cost.value,
        accuracy_low: accuracy.interval[0], accuracy_high: accuracy.interval[1],
        cost_low: cost.interval?.[0] ?? null, cost_high: cost.interval?.[1] ?? null,
        said_accuracy: percentInterval(accuracy.value, accuracy.interval),
        said_cost: usdInterval(cost.value, cost.interval),
      };
    }

    // Of many arms, and of models that were asked a sample of the questions, no intervals are known here.
    meanAlone(name) {
      const found = mean(this.weights, data.mixtures.means[name]);
      return found && {
        accuracy: found[0], cost: found[1], accuracy_low: null, accuracy_high: null, cost_low: null, cost_high: null,
        said_accuracy: percent(found[0]), said_cost: usd(found[1]),
      };
    }

    // The figures behind the picture, and whom it does not show.
    showTable() {
      const named = this.arms.map((arm) => ({ ...arm, name: `${arm.n} ${arm.arm}` }));
      const rows = [...named, ...boundsOn(this.weights).map((point) => ({ ...point, name: point.short }))];
      document.querySelector("#weighted tbody").replaceChildren(...rows.map((point) => {
        const row = document.createElement("tr");
        const head = element("th", point.name);
        head.scope = "row";
        row.append(head, element("td", point.said_accuracy), element("td", point.said_cost));
        return row;
      }));
      const missing = start.filter(({ arm }) => !this.arms.some((one) => one.arm === arm)).map(({ arm }) => arm);
      document.getElementById("unweighted").textContent = missing.length
        ? `Too few questions of a difficulty to weigh ${listed(missing)} so.` : "";
      document.getElementById("weighted").hidden = false;
    }

    sayShares(shares) {
      shares.forEach((share, i) => {
        document.getElementById(`mix-said-${i}`).textContent = percent(share);
        this.shares[i].setAttribute("aria-valuetext", percent(share));
      });
    }

    // The best buy at this price, and how sure that is: every other arm is better, worse or open beside it.
    show() {
      const { price, weights } = this;
      const worth = (arm) => price * arm.accuracy - arm.cost / 1000;
      const ranked = [...this.arms].sort((a, b) => worth(b) - worth(a));
      const [best, ...others] = ranked;
      for (const arm of this.arms) arm.best = arm === best;
      this.view.data("arms", fresh(this.arms));
      this.view.data("iso", best ? this.line(best) : []);
      const beside = weights ? this.beside() : data.charts.cost.datasets;
      for (const name of ["bounds", "hull", "sweep"]) this.view.data(name, fresh(beside[name]));
      this.view.runAsync();
      document.getElementById("winner").replaceChildren(...(best ? this.sentence(best, others, worth) : [
        "Too few questions of a difficulty to weigh them so.",
      ]));
    }

    beside() {
      return { bounds: boundsOn(this.weights), hull: hullOf(poolOn(this.weights)), sweep: sweepsOf(this.arms) };
    }

    line(best) {
      const costs = this.arms.flatMap((arm) => [arm.cost, arm.cost_low, arm.cost_high]).filter((cost) => cost > 0);
      const ends = this.arms.flatMap((arm) => [arm.accuracy, arm.accuracy_low, arm.accuracy_high]);
      const seen = ends.filter((end) => end !== null);
      const [low, high] = [Math.min(...costs) / 1.3, Math.max(...costs) * 1.3].map(Math.log10);
      const points = Array.from({ length: 241 }, (_, i) => {
        const cost = 10 ** (low + ((high - low) * i) / 240);
        return { cost, accuracy: best.accuracy + (cost - best.cost) / 1000 / this.price };
      });
      return points.filter(({ accuracy }) => accuracy >= Math.min(...seen) && accuracy <= Math.max(...seen));
    }

    sentence(best, others, worth) {
      const found = { better: [], open: [], tie: [], untold: [] };
      for (const other of others) {
        const pair = data.moments.pairs.find((one) =>
          (one.arm === best.arm && one.baseline === other.arm) || (one.arm === other.arm && one.baseline === best.arm));
        const sure = pair && standing(pair, this.weights, this.price) === (pair.arm === best.arm ? "better" : "worse");
        const gap = worth(best) - worth(other);
        const size = this.price + (best.cost + other.cost) / 1000;
        found[sure ? "better" : gap < 1e-6 * size ? "tie" : pair ? "open" : "untold"].push(other.arm);
      }
      const names = [best.arm, ...found.tie];
      const parts = [
        `At ${usd(this.price)} a right answer `, element("strong", listed(names)),
        found.tie.length ? " are equally good buys, as measured." : " is the best buy, as measured.",
      ];
      if (found.better.length) parts.push(` Surely (95 %) better than ${listed(found.better)}.`);
      if (found.open.length) parts.push(` Open beside ${listed(found.open)}.`);
      if (found.untold.length) parts.push(` How sure that is beside ${listed(found.untold)} is not told here.`);
      return parts;
    }
  }

  (async () => {
    if (!window.vegaEmbed && !window.DecompressionStream) return; // an old browser: the tables say it all
    await unpackLibrary();
    const names = Object.keys(data.charts);
    const views = {};
    for (const name of names) views[name] = await draw(name);
    if (views.cost && data.moments && document.getElementById("worth")) {
      window.routemark = { controls: new Controls(views.cost), usd, percent };
    }
    document.documentElement.dataset.drawn = names.length;
  })();
})();
