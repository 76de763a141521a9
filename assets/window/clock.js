/*
 * Gradio 6.31 shows a clock while it loads, and lets it tick on when it is gone: 60 frames a second that nobody sees. It can
 * neither be switched off nor reached, so that it is told apart by its code when it asks for a frame; here it ticks once a
 * second. tests/ui/shell/test_head.py fails when Gradio no longer has it.
 */
const CLOCK = /^\(\) ?=> ?\{[^{}]*performance\.now\(\) ?-[^{}]*\/ ?1e3[^{}]*\}$/;

export const isClock = (draw) => CLOCK.test(String(draw));

/** Let Gradio's clock ask once a second, and all others as before; before Gradio's scripts take the function. */
export function slowTheClock(page) {
  const nextFrame = page.requestAnimationFrame.bind(page);
  page.requestAnimationFrame = (draw) =>
    isClock(draw) ? page.setTimeout(() => nextFrame(draw), 1000) : nextFrame(draw);
}
