/* What the answers of the program mean for a page, one after the other. */

export class News {
  #program = null;
  #version = null;
  #begun = false;

  /**
   * Say what an answer means: "reload" where the program is another one, or was away for longer than it remembers a page;
   * "changed" where lists or tabs have to be drawn anew; or "same".
   * drawn: the version that the page was drawn at, for its first answer.
   */
  of(answer, drawn) {
    const forgotten = this.#begun && !answer.begun;
    if (forgotten || (this.#program !== null && this.#program !== answer.program)) return "reload";
    const before = this.#version ?? drawn ?? answer.version;
    this.#program = answer.program;
    this.#begun = answer.begun;
    this.#version = answer.version;
    return before === answer.version ? "same" : "changed";
  }
}
