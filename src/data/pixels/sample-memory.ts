import type { Values } from './values.js';

/** The most bytes that wait to be used again. */
const MOST = 2 ** 26;

/** What has the parts of a decoded sample, such as a draft. */
interface Parts {
  readonly image: Values;
  readonly mask?: Uint8Array | undefined;
}

/** Parts of one decoded sample that are lent. */
interface Loan {
  /** Renderings that read the parts now. */
  users: number;
  /** In a batch, so that the parts are given back once nothing reads them. */
  spent: boolean;
  /** Given back: others have written to the parts. */
  gone: boolean;
  readonly parts: readonly Uint8Array[];
  /** The parts in memory of their own, decoded anew. */
  readonly again: () => readonly Uint8Array[];
}

const loans = new WeakMap<Uint8Array, Loan>();
const waiting = new Map<number, ArrayBufferLike[]>();
let bytes = 0;

/** Memory for a part of a decoded sample; what it holds is of no account. */
export function borrow(length: number): Uint8Array {
  const memory = waiting.get(length)?.pop();
  if (!memory) return new Uint8Array(length);
  bytes -= length;
  // Whoever had it before still has an array of it: see `present`.
  return new Uint8Array(memory);
}

/**
 * Lends the parts of a decoded sample until a batch was made of it, for the next samples to be decoded into.
 *
 * New memory for each would have the garbage collector run for every few batches, which takes more time than augmentation
 * and holds up the event loop. A sample that someone still reads after its batch is decoded `again`.
 */
export function lend(parts: readonly Uint8Array[], again: () => readonly Uint8Array[]): void {
  const loan: Loan = { users: 0, spent: false, gone: false, parts, again };
  for (const part of parts) loans.set(part, loan);
}

/** The draft with memory that holds its sample. */
export function present<D extends Parts>(draft: D): D {
  const own = draft.image instanceof Uint8Array ? loans.get(draft.image) : undefined;
  const ofMask = draft.mask && loans.get(draft.mask);
  if (!own?.gone && !ofMask?.gone) return draft;
  const image = own?.gone ? own.again()[0]! : draft.image;
  return { ...draft, image, mask: ofMask?.gone ? ofMask.again()[1] : draft.mask };
}

/** Calls `work` with drafts whose memory is not used again before it has ended; `spent` says that this was their batch. */
export async function whileHeld<D extends Parts, T>(
  drafts: readonly D[],
  work: (drafts: readonly D[]) => Promise<T>,
  { spent }: { readonly spent: boolean },
): Promise<T> {
  const own = drafts.map(present);
  const held = new Set<Loan>();
  for (const { image, mask } of own)
    for (const part of [image, mask]) {
      const loan = part instanceof Uint8Array ? loans.get(part) : undefined;
      if (loan) held.add(loan);
    }
  for (const loan of held) loan.users++;
  try {
    const result = await work(own);
    // Where work failed, another part of it may still read the memory.
    for (const loan of held) loan.spent ||= spent;
    return result;
  } finally {
    for (const loan of held) {
      loan.users--;
      if (loan.spent && loan.users === 0) giveBack(loan);
    }
  }
}

function giveBack(loan: Loan): void {
  if (loan.gone) return;
  loan.gone = true;
  for (const { buffer, length } of loan.parts) {
    if (bytes + length > MOST) continue;
    bytes += length;
    const arrays = waiting.get(length) ?? [];
    arrays.push(buffer);
    waiting.set(length, arrays);
  }
}
