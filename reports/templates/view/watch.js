// Comfort only: without this file the page is loaded again every minute.
const known = `"${document.body.dataset.now}"`;
let waiting = 2000;
const look = async () => {
  try {
    const answer = await fetch("/", { headers: { "if-none-match": known }, cache: "no-store" });
    if (answer.status === 200) return location.reload();
    waiting = 2000;
  } catch {
    waiting = Math.min(waiting * 2, 60000);
  }
  setTimeout(look, waiting);
};
setTimeout(look, waiting);

// After news what was opened is open, and the page where it was.
const named = (one) => one.querySelector("summary").textContent;
const held = JSON.parse(sessionStorage.getItem("watched") ?? "{}");
for (const one of document.querySelectorAll("details")) if (held.opened?.includes(named(one))) one.open = true;
if (held.at && !location.hash) scrollTo(0, held.at);
addEventListener("pagehide", () => {
  const opened = [...document.querySelectorAll("details[open]")].map(named);
  sessionStorage.setItem("watched", JSON.stringify({ opened, at: scrollY }));
});
