"use strict";
// Filters the questions. The page is complete without it: the form shows only when this runs.
(() => {
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const questions = [...document.querySelectorAll(".q")];
  const texts = new WeakMap();

  const textOf = (question) => {
    let text = texts.get(question);
    if (text === undefined) {
      text = question.textContent.toLowerCase();
      texts.set(question, text);
    }
    return text;
  };

  const trialSelector = ({ arm, model, status }) =>
    ".t" +
    (arm.value && `[data-a="${arm.value}"]`) +
    (model.value && `[data-m="${model.value}"]`) +
    (status.value && `[data-s="${status.value}"]`);

  const apply = () => {
    const { text, difficulty, disagree } = form.elements;
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const selector = trialSelector(form.elements);
    let visible = 0;
    for (const question of questions) {
      const matches =
        (!difficulty.value || question.dataset.d === difficulty.value) &&
        (!disagree.checked || "x" in question.dataset) &&
        (selector === ".t" || question.querySelector(selector) !== null) &&
        words.every((word) => textOf(question).includes(word));
      question.hidden = !matches;
      visible += matches;
    }
    shown.textContent = `${visible.toLocaleString("en")} of ${questions.length.toLocaleString("en")} questions shown`;
  };

  const list = document.getElementById("list");
  const sort = () => {
    const disagreeing = (question) => form.elements.order.value === "disagree" && "x" in question.dataset;
    const place = new Map(questions.map((question, i) => [question, i - (disagreeing(question) ? questions.length : 0)]));
    list.append(...[...questions].sort((a, b) => place.get(a) - place.get(b)));
  };

  // A link to a question opens it, whatever the filter hides.
  const openLinked = () => {
    const question = /^#q\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (!question) return;
    question.hidden = false;
    question.open = true;
    question.scrollIntoView();
    question.querySelector("summary").focus({ preventScroll: true });
  };

  let pending;
  const soon = () => {
    clearTimeout(pending);
    pending = setTimeout(apply, 100);
  };
  const openShown = (open) => questions.forEach((question) => { question.open = open && !question.hidden; });

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", soon);
  form.addEventListener("reset", () => setTimeout(() => { sort(); apply(); }));
  form.elements.order.addEventListener("change", sort);
  addEventListener("hashchange", openLinked);
  document.getElementById("open").addEventListener("click", () => openShown(true));
  document.getElementById("close").addEventListener("click", () => openShown(false));
  form.hidden = false;
  apply();
  openLinked();
})();
