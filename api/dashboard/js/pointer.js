/** Whether the pointer is at work in an element: nothing may move away under it. */
export class Pointer {
  /** left(): the pointer has gone. rest_ms: a pointer that lies still for so long is not at work. */
  constructor(element, left = () => {}, rest_ms = 10_000) {
    this.rest_ms = rest_ms;
    this.moved = -Infinity;
    element.addEventListener("pointermove", () => { this.moved = performance.now(); });
    element.addEventListener("pointerleave", () => {
      this.moved = -Infinity;
      left();
    });
  }

  get busy() {
    return performance.now() - this.moved < this.rest_ms;
  }
}
