/* Two comforts that HTML cannot give: seeing the password one types, and a double click that sends once. Without this
   file every page works the same; the server has its own guard against what is sent twice. */
(function () {
  "use strict";

  document.querySelectorAll("button[data-reveals]").forEach(function (button) {
    var input = document.getElementById(button.dataset.reveals);
    function reveal(shown) {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? button.dataset.hide : button.dataset.show;
      button.setAttribute("aria-label", shown ? button.dataset.hideLabel : button.dataset.showLabel);
    }
    reveal(false);
    button.hidden = false;
    button.addEventListener("click", function () {
      reveal(input.type === "password");
    });
    // Browsers remember what was typed into plain text fields, so the password goes out of a password field.
    input.form.addEventListener("submit", function () {
      reveal(false);
    });
  });

  document.querySelectorAll("form").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      if (form.hasAttribute("aria-busy")) {
        event.preventDefault();
      } else {
        form.setAttribute("aria-busy", "true");
      }
    });
  });

  // The back button brings pages back as they were left: busy.
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[aria-busy]").forEach(function (form) {
      form.removeAttribute("aria-busy");
    });
  });
})();
