(function () {
  "use strict";
  var kind = document.getElementById("kind");
  var type = document.getElementById("type");
  var words = document.getElementById("words");
  var shown = document.getElementById("shown");
  var cases = Array.from(document.querySelectorAll("#cases .case")).map(function (element) {
    return {
      element: element,
      kind: element.dataset.kind,
      types: element.dataset.types.split("\t"),
      text: element.textContent.toLowerCase()
    };
  });
  function filter() {
    var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    var number = 0;
    cases.forEach(function (item) {
      var fits = (!kind.value || item.kind === kind.value) &&
        (!type.value || item.types.indexOf(type.value) >= 0) &&
        wanted.every(function (word) { return item.text.indexOf(word) >= 0; });
      item.element.hidden = !fits;
      number += fits ? 1 : 0;
    });
    shown.value = number.toLocaleString("en") + " shown";
  }
  [kind, type].forEach(function (element) { element.addEventListener("change", filter); });
  words.addEventListener("input", filter);
  document.getElementById("filters").addEventListener("submit", function (event) {
    event.preventDefault();
  });
  filter();
}());
