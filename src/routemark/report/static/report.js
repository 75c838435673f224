"use strict";
// Filters the questions, and keeps the filter in the address behind "#?", so that it can be sent with the page.
// The page is complete without it: the form shows only when this runs.
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

  // ---------------------------------------------------------------- the filter in the address
  // Choices are named by what stands in the form, since their places differ from page to page.
  const fields = [...form.elements].filter((field) => field.name);
  const said = (field) => {
    if (field.type === "checkbox") return field.checked ? "yes" : "";
    return field.tagName === "SELECT" ? field.value && field.selectedOptions[0].text : field.value.trim();
  };
  const setTo = (field, text) => {
    if (field.type === "checkbox") field.checked = text !== "";
    else if (field.tagName !== "SELECT") field.value = text;
    else field.value = [...field.options].find((option) => option.value && option.text === text)?.value ?? "";
  };
  const tellAddress = () => {
    const set = fields.map((field) => [field.name, said(field)]).filter(([, text]) => text);
    const wanted = set.length ? `#?${new URLSearchParams(set)}` : "#questions";
    const shows = location.hash.startsWith("#?");
    if (location.hash !== wanted && (set.length || shows)) history.replaceState(null, "", wanted);
  };
  const readAddress = () => {
    if (!location.hash.startsWith("#?")) return false;
    const wanted = new URLSearchParams(location.hash.slice(2));
    for (const field of fields) setTo(field, wanted.get(field.name) ?? "");
    return true;
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
    pending = setTimeout(() => { apply(); tellAddress(); }, 100);
  };
  const show = () => { sort(); apply(); };
  const openShown = (open) => questions.forEach((question) => { question.open = open && !question.hidden; });

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", soon);
  form.addEventListener("reset", () => setTimeout(() => { show(); tellAddress(); }));
  form.elements.order.addEventListener("change", sort);
  addEventListener("hashchange", () => {
    if (readAddress()) show();
    openLinked();
  });
  document.getElementById("open").addEventListener("click", () => openShown(true));
  document.getElementById("close").addEventListener("click", () => openShown(false));
  // On paper nothing can be opened.
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll(".behind")) folded.open = true;
  });
  form.hidden = false;
  if (readAddress()) {
    sort();
    document.getElementById("questions").scrollIntoView();
  }
  apply();
  openLinked();
})();
