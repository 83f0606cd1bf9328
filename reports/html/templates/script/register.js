// All objects: what each is, which requirements ask for it, and what they found.
function register(section, data, search) {
  const { things, words, items } = data;
  const table = document.getElementById("register");
  const findings = new Map(); // object: [item, reason, note] of every list that names it
  items.forEach(([anchor], item) => {
    for (const [thing, reason, note] of data.lists[anchor] || []) {
      if (!findings.has(thing)) findings.set(thing, []);
      findings.get(thing).push([item, reason, note]);
    }
  });
  const marks = Object.fromEntries(all("[data-state] .mark", section).map((one) =>
    [one.closest("[data-state]").dataset.state, one.getAttribute("class").split(" ")[1]]));
  const labels = all("[data-state]", section).map((button) => [button.dataset.state, all("span[lang]", button)]);
  const states = Object.fromEntries(labels.map(([state, spans]) => [state, spans.map((span) => span.textContent)]));
  const link = (item) => make("a", { href: "#" + items[item][0], className: "id", title: both(items[item][2]) }, items[item][1]);
  const asking = (thing) => data.asked[things.asked[thing]].map((code) => [code >> 1, code & 1]);
  const { texts } = data;

  // What became of one requirement for one object, as a mark and a word.
  function became(thing, item, drawn) {
    const verdict = items[item][3];
    if ((findings.get(thing) || []).some(([other]) => other === item)) return [verdict, texts.named];
    if (["not-tested", "not-applicable", "error"].includes(verdict)) return [verdict, texts[verdict]];
    return drawn ? ["pass", texts["nothing-found"]] : ["not-tested", texts["not-drawn"]];
  }

  function asked(thing) {
    const all = asking(thing);
    if (!all.length) return [];
    const details = make("details", {}, make("summary", {}, ...spoken(texts.asked.map((text) => text.replace("{count}", all.length)))));
    details.addEventListener("toggle", () => {
      if (details.childElementCount > 1) return;
      details.append(make("ul", {}, ...all.map(([item, drawn]) => {
        const [verdict, word] = became(thing, item, drawn);
        return make("li", {}, mark(verdict), " ", link(item), " ", make("span", { className: "aside" }, ...spoken(word)));
      })));
    });
    return [details];
  }

  function draw(thing) {
    const state = things.state[thing];
    const [id, name] = [things.id[thing], things.name[thing]];
    const aside = (text) => make("span", { className: "aside" }, foreign(text));
    const word = (column) => words[column][things[column][thing]];
    const found = (findings.get(thing) || []).map(([item, reason, note]) => make("li", {}, mark(items[item][3]), " ", link(item), " ",
      foreign(data.reasons[reason]), " ", aside(data.notes[note])));
    return make("tr", {},
      make("th", { scope: "row" }, make("span", { className: "id" }, foreign(id)), ...(name && name !== id ? [" ", foreign(name)] : []), " ",
        make("span", { className: "aside addresses" }, foreign(things.addresses[thing]))),
      make("td", {}, foreign(word("zone")), " ", aside(word("area"))),
      make("td", {}, foreign(word("cls")), " ", aside(word("technology"))),
      make("td", { className: "state" }, mark(marks[state]), " ", ...spoken(states[state]), " ", aside(word("layers"))),
      make("td", {}, ...(found.length ? [make("ul", {}, ...found)] : []), ...asked(thing)));
  }

  const order = new Intl.Collator(undefined, { numeric: true });
  const everything = things.id.map((_, thing) => thing);
  const sorted = { state: [...everything].sort((a, b) => things.state[a] - things.state[b] || a - b) };
  const rank = (key) => (sorted[key] ??= [...everything].sort((a, b) => order.compare(things.id[a], things.id[b])));
  const fields = (thing) => [
    things.id[thing], things.name[thing], words.zone[things.zone[thing]], words.area[things.area[thing]], words.cls[things.cls[thing]],
    words.technology[things.technology[thing]], things.addresses[thing], states[things.state[thing]], words.layers[things.layers[thing]],
    ...[0, 1].map((index) => (findings.get(thing) || []).map(([item, reason, note]) =>
      `${items[item][1]}: ${[data.reasons[reason], data.notes[note]].map((text) => (Array.isArray(text) ? text[index] : text)).join(" ")}`).join("; ")),
  ];
  const list = lister(section, table, data, {
    every: sorted.state,
    name: "objects",
    draw,
    columns: () => ({
      heads: texts.columns.map((text) => own(text)),
      fields: (thing) => {
        const told = fields(thing);
        return [...told.slice(0, -2), told.slice(-2)];
      },
    }),
  });

  // Filters: one word list, one state, and one value of each facet.
  const box = section.querySelector("[data-search]");
  const facets = all("[data-facet]", section);
  const chips = all("[data-state]", section);
  const wanted = { state: "", sort: "state", down: false };
  const columnOf = (facet) => (facet === "item" ? items.map(([, id, title]) => [id + " ", title]) : words[facet]);
  const members = items.map(() => new Set());
  function fill() {
    for (const facet of facets) {
      const name = facet.dataset.facet;
      const value = facet.value;
      const options = columnOf(name).map((text, code) => [code, name === "item" ? text[0] + own(text[1]) : own(text) || own(texts.none)]);
      if (name !== "item") options.sort((a, b) => order.compare(a[1], b[1]));
      facet.replaceChildren(new Option(facet.getAttribute("aria-label"), ""), ...options.map(([code, text]) => new Option(text, code)));
      facet.value = value;
      facet.hidden = options.length < 2;
    }
  }
  function belongs(item) {
    if (!members[item].size) {
      const codes = new Set(data.asked.flatMap((asked, code) => (asked.some((one) => one >> 1 === item) ? [code] : [])));
      everything.forEach((thing) => codes.has(things.asked[thing]) && members[item].add(thing));
      for (const [thing] of data.lists[items[item][0]] || []) members[item].add(thing);
    }
    return members[item];
  }
  function filter() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = facets.filter((facet) => facet.value !== "" && facet.dataset.facet !== "item")
      .map((facet) => [things[facet.dataset.facet], +facet.value]);
    const item = facets.find((facet) => facet.dataset.facet === "item").value;
    const among = item === "" ? null : belongs(+item);
    const text = words.length ? (thing) => {
      const { about, finding } = search();
      return about[thing] + (findings.get(thing) || []).map(([item, reason, note]) => " " + items[item][1].toLowerCase() + finding(reason, note)).join("");
    } : null;
    const numbers = {};
    const kept = rank(wanted.sort).filter((thing) => {
      if (among && !among.has(thing)) return false;
      for (const [column, code] of chosen) if (column[thing] !== code) return false;
      if (text) {
        const told = text(thing);
        for (const word of words) if (!told.includes(word)) return false;
      }
      numbers[things.state[thing]] = (numbers[things.state[thing]] || 0) + 1;
      return wanted.state === "" || things.state[thing] === +wanted.state;
    });
    if (wanted.down) kept.reverse();
    const total = Object.values(numbers).reduce((sum, one) => sum + one, 0);
    for (const chip of chips) {
      const number = chip.dataset.state === "" ? total : numbers[chip.dataset.state] || 0;
      chip.querySelector("[data-number]").textContent = number.toLocaleString("en");
      chip.setAttribute("aria-pressed", chip.dataset.state === wanted.state);
    }
    section.querySelector("[data-empty]").hidden = kept.length > 0;
    list.keep(kept);
  }
  for (const chip of chips) chip.addEventListener("click", () => {
    wanted.state = chip.dataset.state;
    filter();
  });
  for (const facet of facets) facet.addEventListener("change", filter);
  box.addEventListener("input", filter);
  section.querySelector("[data-reset]").addEventListener("click", () => {
    box.value = wanted.state = "";
    for (const facet of facets) facet.value = "";
    filter();
  });
  for (const button of all("[data-sort]", section)) button.addEventListener("click", () => {
    wanted.down = wanted.sort === button.dataset.sort && !wanted.down;
    wanted.sort = button.dataset.sort;
    for (const other of all("[data-sort]", section)) {
      const now = other === button ? (wanted.down ? "descending" : "ascending") : "none";
      other.closest("th").setAttribute("aria-sort", now);
    }
    filter();
  });
  fill();
  filter();
  return fill;
}
