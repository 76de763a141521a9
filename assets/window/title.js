/* What the browser's tab is called: how far the run in progress is, and how it has ended until somebody looks. */

const NAME = "Ticket Tuner";

export class Title {
  #document;
  /** The run that is told of, from its beginning until somebody has seen its end. */
  followed = "";

  constructor(document) { this.#document = document; }

  /** Take what an answer says: ``run`` is the run in progress or empty, ``text`` what is to be said of it. */
  take({ run, text }) {
    if (run) this.followed = run;
    else if (!text) this.followed = "";
    this.#document.title = text ? `${text} · ${NAME}` : NAME;
  }

  /** Somebody is back: an end that was told has been seen. */
  seen() {
    if (this.#document.title.includes("%")) return;
    this.followed = "";
    this.#document.title = NAME;
  }
}
