// How results of the search are ordered: as Sphinx does, but what is called as was asked comes first.
var asked = (new URLSearchParams(window.location.search).get("q") || "").trim().toLowerCase();

var Scorer = {
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
  score: ([, title, , , score, , kind]) => {
    const name = title.toLowerCase().split(" > ").pop();
    if (kind === "title" && name === asked) return score + 200;
    if (kind === "object" && (name === asked || name.endsWith("." + asked))) return score + 100;
    return score;
  },
};
