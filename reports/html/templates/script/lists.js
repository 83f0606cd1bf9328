// Long lists: the objects lie in the page as data, one table for all lists, and rows are drawn a page at a time.
const both = (text) => (Array.isArray(text) ? text.join(" ") : text);

function spoken(text) {
  if (!Array.isArray(text)) return [document.createTextNode(text)];
  return [["zh", "zh-CN"], ["en", "en"]].map(([name, lang], index) => make("span", { className: name, lang }, text[index]));
}

function make(kind, facts, ...content) {
  const made = Object.assign(document.createElement(kind), facts);
  made.append(...content);
  return made;
}

const foreign = (text) => make("bdi", {}, ...spoken(text));

function mark(verdict) {
  const drawing = document.querySelector("svg").namespaceURI;
  const [svg, use] = ["svg", "use"].map((name) => document.createElementNS(drawing, name));
  svg.setAttribute("class", "mark " + verdict);
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", "#mark-" + verdict);
  svg.append(use);
  return svg;
}

// What a search looks through, of every object: made when somebody first searches.
function searchable(data) {
  const { things, words } = data;
  const texts = Object.fromEntries(Object.entries(words).map(([name, all]) => [name, all.map(both)]));
  const about = things.id.map((id, thing) =>
    [id, things.name[thing], things.addresses[thing], ...Object.keys(texts).map((name) => texts[name][things[name][thing]])]
      .join(" ").toLowerCase());
  const found = [data.reasons, data.notes].map((all) => all.map((text) => both(text).toLowerCase()));
  return { about, finding: (reason, note) => " " + found[0][reason] + " " + found[1][note] };
}

// A list drawn a page at a time: `every` row is a number or an array, and `draw` makes the table row of one.
function lister(controls, table, data, { every, draw, columns, name }) {
  let found = every;
  let first = 0;
  function show(rows = found.slice(first, first + data.page), start = first) {
    table.tBodies[0].replaceChildren(...rows.map((row, index) => {
      const made = draw(row);
      made.setAttribute("aria-rowindex", start + index + 2); // the head is the first
      return made;
    }));
  }
  function report() {
    const last = Math.min(first + data.page, found.length);
    const range = found.length ? (first + 1).toLocaleString("en") + "–" + last.toLocaleString("en") : "0";
    controls.querySelector("[data-range]").textContent = range + " / " + found.length.toLocaleString("en");
    table.setAttribute("aria-rowcount", found.length + 1);
    const ends = { first: first === 0, previous: first === 0, next: last >= found.length, last: last >= found.length };
    for (const button of all("[data-step]", controls)) {
      // A button that has the focus keeps it: a disabled one would lose it.
      button.setAttribute("aria-disabled", ends[button.dataset.step]);
    }
  }
  function redraw() {
    show();
    report();
  }
  const steps = {
    first: () => 0,
    previous: () => Math.max(0, first - data.page),
    next: () => (first + data.page < found.length ? first + data.page : first),
    last: () => Math.max(0, Math.ceil(found.length / data.page) - 1) * data.page,
  };
  for (const button of all("[data-step]", controls)) button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    first = steps[button.dataset.step]();
    redraw();
  });
  controls.querySelector("[data-save]").addEventListener("click", () => save(name, columns(), found));
  return {
    keep(rows) {
      found = rows;
      first = 0;
      redraw();
    },
    report,
    redraw,
    paper(limit) {
      show(every.slice(0, limit), 0);
    },
  };
}

const PAPER = 2000; // rows of one list that are printed

function failing(controls, data, search) {
  const anchor = controls.dataset.pager;
  const table = document.getElementById("list-" + anchor);
  const { things, words } = data;
  const every = data.lists[anchor];
  const fields = ([thing, reason, note]) => [
    things.id[thing], things.name[thing], words.cls[things.cls[thing]], words.zone[things.zone[thing]],
    words.area[things.area[thing]], things.addresses[thing], data.reasons[reason], data.notes[note],
  ];
  const names = ["id", "", "", "", "", "addresses", "", "aside"];
  const list = lister(controls, table, data, {
    every,
    name: anchor,
    draw: (row) => make("tr", {}, ...fields(row).map((field, index) => {
      const facts = index ? { className: names[index] } : { className: "id", scope: "row" };
      return make(index ? "td" : "th", facts, foreign(field));
    })),
    columns: () => ({ heads: [...table.tHead.rows[0].cells].map((head) => head.innerText), fields }),
  });
  controls.querySelector("[data-search]").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase().split(/\s+/);
    const { about, finding } = search();
    list.keep(every.filter(([thing, reason, note]) => {
      const text = about[thing] + finding(reason, note);
      return wanted.every((word) => text.includes(word));
    }));
  });
  list.report();
  const cut = document.querySelector(`[data-cut="${CSS.escape(anchor)}"]`);
  cut.replaceChildren(...spoken(data.texts["cut-on-paper"].map((text) => text.replace("{shown}", PAPER.toLocaleString("en")).replace("{total}", every.length.toLocaleString("en")))));
  cut.classList.add("paper");
  cut.hidden = every.length <= PAPER;
  return { before: () => list.paper(PAPER), after: list.redraw };
}

// CSV for a spreadsheet: UTF-8 with a mark, quoted, and nothing that a spreadsheet would take for a formula.
const own = (text) => (Array.isArray(text) ? text[language() === "zh" ? 0 : 1] : text);

function save(name, { heads, fields }, rows) {
  const safe = (field) => '"' + (/^[=+\-@\t\r]/.test(field) ? "'" + field : field).replaceAll('"', '""') + '"';
  const lines = [heads, ...rows.map((row) => fields(row).map(own))].map((row) => row.map(safe).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff" + lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
  link.download = name + ".csv";
  link.click();
  URL.revokeObjectURL(link.href);
}
