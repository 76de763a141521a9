/*
 * What the window does in the browser by itself. It holds no data of its own; what it shows comes from the server as text, and
 * is put on the page as text. The page loads it before Gradio's scripts (ui/shell/head.py), which find in ``ticketTuner`` what
 * the pieces of the page call (ui/html.py). Light and dark are theme.js, which is there even earlier.
 */
import "./copy.js";
import "./keys.js";
import "./links.js";
import "./lists.js";
import "./tips.js";
import { actions } from "./actions.js";
import { address } from "./address.js";
import { follow } from "./answers.js";
import { blind } from "./blind.js";
import { chart } from "./chart.js";
import { slowTheClock } from "./clock.js";
import { fields } from "./fields.js";
import { header } from "./header.js";
import { download } from "./links.js";
import { live, piece } from "./live.js";
import { done, press } from "./once.js";
import { palette } from "./palette.js";
import { replies } from "./replies.js";
import { openTab, ready } from "./tabs.js";

slowTheClock(window);
window.ticketTuner = { actions, address, blind, chart, done, download, fields, follow, header, live, openTab, palette, piece, press, ready, replies };
