/* The page that posts an answer to an application has one form; this sends it, and without this file its button does. */
(function () {
  "use strict";

  document.forms[0].submit();
})();
