// Comfort only: every page works without this file.
addEventListener("keydown", (event) => {
  const field = event.target.closest("input, select, textarea, .scroll");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) event.target.form.requestSubmit();
  if (field || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const step = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  if (step) document.querySelector(`a[rel=${step}]`)?.click();
});

// After "Show" the page stays where it was.
const place = `place ${location.pathname}`;
for (const form of document.querySelectorAll("form.choose"))
  form.addEventListener("submit", () => sessionStorage.setItem(place, String(scrollY)));
const before = sessionStorage.getItem(place);
sessionStorage.removeItem(place);
if (before && !location.hash) scrollTo(0, Number(before));

// An edited policy is not lost by a slip.
const text = document.querySelector("textarea");
if (text) {
  let leaving = false;
  text.form.addEventListener("submit", () => (leaving = true));
  addEventListener("beforeunload", (event) => {
    if (!leaving && text.value !== text.defaultValue) event.preventDefault();
  });
}
