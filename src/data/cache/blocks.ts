/** Blocks of a stretch of memory that are lent and taken back, each where the first gap is: so pages are used again. */
export class Blocks {
  /** what is lent, by place */
  private readonly lent: { at: number; end: number }[] = [];

  /** @param start in bytes, a multiple of the unit, in bytes too: blocks begin at multiples of it */
  constructor(
    private readonly start: number,
    private readonly end: number,
    private readonly unit = 64,
  ) {}

  /** true if nothing is lent */
  get whole(): boolean {
    return this.lent.length === 0;
  }

  /** Where so many bytes are free; null: nowhere. */
  lend(bytes: number): number | null {
    const size = Math.max(1, Math.ceil(bytes / this.unit)) * this.unit;
    let at = this.start;
    let i = 0;
    for (; i < this.lent.length && this.lent[i].at - at < size; i++) at = this.lent[i].end;
    if (this.end - at < size) return null;
    this.lent.splice(i, 0, { at, end: at + size });
    return at;
  }

  /** Takes back what `lend` gave. */
  takeBack(at: number): void {
    const i = this.lent.findIndex((block) => block.at === at);
    if (i >= 0) this.lent.splice(i, 1);
  }
}
