const root = document.documentElement;
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const language = () => root.dataset.lang;

// Language: everything is in the page twice; the style sheet shows one. Attributes follow here.
function choose(lang) {
  root.dataset.lang = lang;
  root.lang = lang === "zh" ? "zh-CN" : "en";
  const own = (element, name) => element.dataset[name + (lang === "zh" ? "Zh" : "En")];
  document.title = own(document.querySelector("title"), "title");
  for (const element of all("[data-aria-zh]")) element.setAttribute("aria-label", own(element, "aria"));
  for (const element of all("[data-hint-zh]")) {
    element.placeholder = own(element, "hint");
    element.setAttribute("aria-label", own(element, "hint"));
  }
  for (const button of all("[data-choose]")) button.setAttribute("aria-pressed", button.dataset.choose === lang);
}

// Summary: filter by verdict and words, sort by column.
function summary(section) {
  const bodies = all("tbody", section); // one for each pillar, with a row that names it
  const items = (body) => [...body.rows].filter((row) => row.dataset.verdict);
  const search = section.querySelector("[data-search]");
  const chips = all("[data-verdict]", section.querySelector(".chips"));
  let wanted = "";
  function filter() {
    const words = search.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const body of bodies) {
      const rows = items(body);
      const pillar = body.rows[0].textContent.toLowerCase();
      for (const row of rows) {
        const text = row.textContent.toLowerCase() + pillar;
        row.hidden = (wanted && row.dataset.verdict !== wanted) || !words.every((word) => text.includes(word));
      }
      const found = rows.filter((row) => !row.hidden).length;
      body.hidden = found === 0;
      shown += found;
    }
    section.querySelector("[data-empty]").hidden = shown > 0;
  }
  for (const chip of chips) chip.addEventListener("click", () => {
    wanted = chip.dataset.verdict;
    for (const other of chips) other.setAttribute("aria-pressed", other === chip);
    filter();
  });
  search.addEventListener("input", filter);
  const order = new Intl.Collator(undefined, { numeric: true });
  for (const button of all("[data-sort]", section)) {
    button.disabled = false;
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of all("th[aria-sort]", section)) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[button.dataset.sort].dataset.key;
      const numeric = (a, b) => (a === "" ? Infinity : +a) - (b === "" ? Infinity : +b);
      const compare = (a, b) => (isNaN(a) || isNaN(b) ? order.compare(a, b) : numeric(a, b) || 0);
      for (const body of bodies) {
        body.append(...items(body).sort((a, b) => compare(key(a), key(b)) * (down ? -1 : 1)));
      }
    });
  }
}
