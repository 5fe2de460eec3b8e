// The page works without this file; it adds what makes it quick. Each module listens on the document, so that
// parts swapped in later need no set-up.
import "./dialogs.js";
import "./toasts.js";
import "./menus.js";
import "./search.js";
import "./keys.js";
import "./forms.js";
import "./autosave.js";
import "./copy.js";
import "./elapsed.js";
import "./sortlist.js";
import "./lightbox.js";
import "./poll.js";
import "./calendar.js";
import "./questions.js";
import "./drop.js";
import "./handoff.js";
import "./teeth.js";
import "./signing.js";
import "./print.js";
import "./outcomes.js";
import "./undecided.js";
import "./tasks.js";
import "./conversations.js";
import "./etiquette.js";
import "./focus.js";
