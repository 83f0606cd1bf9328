for (const element of all(".tools, [data-controls], [data-pager], [data-register]")) element.hidden = false;
for (const element of all("[data-no-script]")) element.hidden = true;
const data = JSON.parse(document.getElementById("data").textContent);
let made = null;
const search = () => (made ??= searchable(data));
let refill = () => {};
for (const button of all("[data-choose]")) button.addEventListener("click", () => {
  choose(button.dataset.choose);
  refill();
});
document.querySelector("[data-print]").addEventListener("click", () => window.print());
choose(language());
summary(document.getElementById("summary"));
const lists = all("[data-pager]").map((controls) => failing(controls, data, search));
refill = register(document.querySelector("[data-register]"), data, search);
// On paper nothing can be turned over: what fails is there in full, up to a limit that the page then states.
addEventListener("beforeprint", () => lists.forEach((list) => list.before()));
addEventListener("afterprint", () => lists.forEach((list) => list.after()));
