"use strict";
(() => {
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

  // Long lists: the rows lie in the page as data and are drawn one page at a time.
  function spoken([zh, en]) {
    if (zh === en) return [document.createTextNode(zh)];
    return [["zh", "zh-CN", zh], ["en", "en", en]].map(([name, lang, text]) => {
      const span = document.createElement("span");
      span.className = name;
      span.lang = lang;
      span.textContent = text;
      return span;
    });
  }

  function cell(kind, content, name) {
    const made = document.createElement(kind);
    if (name) made.className = name;
    if (Array.isArray(content)) made.append(...spoken(content));
    else made.appendChild(document.createElement("bdi")).textContent = content;
    return made;
  }

  function pager(controls, data) {
    const anchor = controls.dataset.pager;
    const table = document.getElementById("list-" + anchor);
    const every = data.lists[anchor].map(([thing, reason, note]) => {
      const [id, name, zone, area, cls, addresses] = data.things[thing];
      return [id, name, data.classes[cls], zone, area, addresses, data.reasons[reason], data.notes[note]];
    });
    let found = every;
    let first = 0;
    const text = (row) => row.flat().join(" ").toLowerCase();
    function draw() {
      const rows = found.slice(first, first + data.page).map((fields) => {
        const row = document.createElement("tr");
        const names = ["id", "", "", "", "", "addresses", "", "aside"];
        fields.forEach((field, index) => row.append(cell(index ? "td" : "th", field, names[index])));
        row.firstChild.scope = "row";
        return row;
      });
      table.tBodies[0].replaceChildren(...rows);
      report();
    }
    function report() {
      const last = Math.min(first + data.page, found.length);
      const range = found.length ? (first + 1).toLocaleString("en") + "–" + last.toLocaleString("en") : "0";
      controls.querySelector("[data-range]").textContent = range + " / " + found.length.toLocaleString("en");
      for (const button of all("[data-step]", controls)) {
        button.disabled = button.dataset.step < 0 ? first === 0 : last >= found.length;
      }
    }
    for (const button of all("[data-step]", controls)) button.addEventListener("click", () => {
      first = Math.max(0, first + button.dataset.step * data.page);
      draw();
    });
    controls.querySelector("[data-search]").addEventListener("input", (event) => {
      const words = event.target.value.toLowerCase().split(/\s+/);
      found = every.filter((row) => words.every((word) => text(row).includes(word)));
      first = 0;
      draw();
    });
    controls.querySelector("[data-save]").addEventListener("click", () => save(anchor, table, found));
    report();
  }

  // CSV for a spreadsheet: UTF-8 with a mark, quoted, and nothing that a spreadsheet would take for a formula.
  function save(name, table, rows) {
    const own = (field) => (Array.isArray(field) ? field[language() === "zh" ? 0 : 1] : field);
    const safe = (field) => '"' + (/^[=+\-@\t\r]/.test(field) ? "'" + field : field).replaceAll('"', '""') + '"';
    const heads = [...table.tHead.rows[0].cells].map((head) => head.innerText);
    const lines = [heads, ...rows].map((row) => row.map((field) => safe(own(field))).join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff" + lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
    link.download = name + ".csv";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  for (const element of all(".tools, [data-controls], [data-pager]")) element.hidden = false;
  for (const note of all(".static")) note.classList.add("paper");
  for (const button of all("[data-choose]")) button.addEventListener("click", () => choose(button.dataset.choose));
  document.querySelector("[data-print]").addEventListener("click", () => window.print());
  choose(language());
  summary(document.getElementById("summary"));
  const data = JSON.parse(document.getElementById("data").textContent);
  for (const controls of all("[data-pager]")) pager(controls, data);
})();
