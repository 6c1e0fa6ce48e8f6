/** A call or an object that a pickle asks for: its name and arguments. Nothing is called. */
export class Pickled {
  /** What `BUILD` would set on the object. */
  state: unknown;
  constructor(
    readonly name: string,
    readonly args: readonly unknown[],
  ) {}
}

/** A name that a pickle imports. */
class Global {
  constructor(readonly name: string) {}
}

const MARK = Symbol('mark');

/** What a pickle may call: `known` names it, `persistent` makes what lies outside the pickle. */
export interface PickleOptions {
  known(name: string): boolean;
  persistent(id: unknown): unknown;
}

/**
 * Reads a pickle without executing anything: dictionaries become Maps, lists and tuples arrays, and calls of known names
 * `Pickled` records.
 *
 * `fail` is called with a name that is not known, and for opcodes that torch.save does not write.
 */
export function readPickle(bytes: Buffer, options: PickleOptions, fail: (got: string) => never): unknown {
  return new PickleReader(bytes, options, fail).read();
}

class PickleReader {
  #at = 0;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(
    private readonly bytes: Buffer,
    private readonly options: PickleOptions,
    private readonly fail: (got: string) => never,
  ) {}

  read(): unknown {
    for (;;) {
      const code = this.#byte();
      if (code === 0x2e) return this.#pop();
      const step = STEPS[code];
      if (!step) return this.fail(`the opcode 0x${code.toString(16)}, which torch.save does not write`);
      step(this.#machine);
    }
  }

  readonly #machine: Machine = {
    push: (value) => void this.#stack.push(value),
    pop: () => this.#pop(),
    top: () => this.#stack.at(-1),
    sinceMark: () => {
      const mark = this.#stack.lastIndexOf(MARK);
      if (mark < 0) return this.fail('a list without a beginning');
      const values = this.#stack.splice(mark);
      return values.slice(1);
    },
    number: (bytes) => {
      const at = this.#advance(bytes);
      return bytes === 8 ? Number(this.bytes.readBigUInt64LE(at)) : this.bytes.readUIntLE(at, bytes);
    },
    signed: (bytes) => (bytes === 0 ? 0 : this.bytes.readIntLE(this.#advance(bytes), bytes)),
    float: () => this.bytes.readDoubleBE(this.#advance(8)),
    text: (length) => {
      const at = this.#advance(length);
      return this.bytes.toString('utf8', at, at + length);
    },
    line: () => {
      const end = this.bytes.indexOf(0x0a, this.#at);
      if (end < 0) return this.fail('a line without an end');
      const text = this.bytes.toString('utf8', this.#at, end);
      this.#at = end + 1;
      return text;
    },
    remember: (key) => void this.#memo.set(key ?? this.#memo.size, this.#stack.at(-1)),
    recall: (key) =>
      this.#memo.has(key) ? void this.#stack.push(this.#memo.get(key)) : this.fail('a place not written'),
    global: (name) =>
      this.options.known(name) ? void this.#stack.push(new Global(name)) : this.fail(`a call of ${name}`),
    persistent: (id) => this.options.persistent(id),
    fail: (got) => this.fail(got),
  };

  #byte(): number {
    return this.bytes[this.#advance(1)]!;
  }

  #advance(length: number): number {
    const at = this.#at;
    if (length < 0 || at + length > this.bytes.length) return this.fail('a pickle that is cut off');
    this.#at = at + length;
    return at;
  }

  #pop(): unknown {
    return this.#stack.length > 0 ? this.#stack.pop() : this.fail('a pickle that takes what is not there');
  }
}

/** What an opcode works on. */
interface Machine {
  push(value: unknown): void;
  pop(): unknown;
  top(): unknown;
  sinceMark(): unknown[];
  /** An unsigned integer of some bytes. */
  number(bytes: number): number;
  signed(bytes: number): number;
  float(): number;
  text(length: number): string;
  line(): string;
  remember(key?: number): void;
  recall(key: number): void;
  global(name: string): void;
  persistent(id: unknown): unknown;
  fail(got: string): never;
}

type Step = (machine: Machine) => void;

const setItems = (m: Machine, pairs: readonly unknown[]) => {
  const target = m.top();
  const map = target instanceof Pickled && target.state === undefined ? itemsOf(target) : target;
  if (!(map instanceof Map)) return m.fail('items of what is no dictionary');
  for (let i = 0; i + 1 < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
};

const append = (m: Machine, values: readonly unknown[]) => {
  const list = m.top();
  if (!Array.isArray(list)) return m.fail('members of what is no list');
  for (const value of values) list.push(value);
};

/** The items of an OrderedDict, which is made by a call. */
const dictionaries = new WeakMap<Pickled, Map<unknown, unknown>>();
export function itemsOf(object: Pickled): Map<unknown, unknown> {
  const items = dictionaries.get(object) ?? new Map<unknown, unknown>();
  dictionaries.set(object, items);
  return items;
}

const call = (m: Machine) => {
  const args = m.pop();
  const called = m.pop();
  if (!(called instanceof Global) || !Array.isArray(args)) return m.fail('a call of what is no name');
  m.push(new Pickled(called.name, args));
};

const tuple =
  (count: number): Step =>
  (m) => {
    const values = Array.from({ length: count }, () => m.pop());
    m.push(values.toReversed());
  };

/** The opcodes of pickle protocols 2 to 4 that torch.save writes. */
const STEPS: Readonly<Record<number, Step>> = {
  0x80: (m) => void m.number(1), // PROTO
  0x95: (m) => void m.number(8), // FRAME
  0x28: (m) => m.push(MARK),
  0x30: (m) => void m.pop(),
  0x7d: (m) => m.push(new Map()), // EMPTY_DICT
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x29: (m) => m.push([]), // EMPTY_TUPLE
  0x74: (m) => m.push(m.sinceMark()), // TUPLE
  0x85: tuple(1),
  0x86: tuple(2),
  0x87: tuple(3),
  0x4e: (m) => m.push(null), // NONE
  0x88: (m) => m.push(true),
  0x89: (m) => m.push(false),
  0x4b: (m) => m.push(m.number(1)), // BININT1
  0x4d: (m) => m.push(m.number(2)), // BININT2
  0x4a: (m) => m.push(m.signed(4)), // BININT
  0x8a: (m) => {
    const length = m.number(1); // LONG1
    if (length > 6) m.fail(`an integer of ${length} bytes`);
    m.push(m.signed(length));
  },
  0x47: (m) => m.push(m.float()), // BINFLOAT
  0x58: (m) => m.push(m.text(m.number(4))), // BINUNICODE
  0x8c: (m) => m.push(m.text(m.number(1))), // SHORT_BINUNICODE
  0x71: (m) => m.remember(m.number(1)), // BINPUT
  0x72: (m) => m.remember(m.number(4)), // LONG_BINPUT
  0x94: (m) => m.remember(), // MEMOIZE
  0x68: (m) => m.recall(m.number(1)), // BINGET
  0x6a: (m) => m.recall(m.number(4)), // LONG_BINGET
  0x63: (m) => m.global(`${m.line()}.${m.line()}`), // GLOBAL
  0x93: (m) => {
    const name = m.pop(); // STACK_GLOBAL
    m.global(`${String(m.pop())}.${String(name)}`);
  },
  0x52: (m) => call(m), // REDUCE
  0x81: (m) => call(m), // NEWOBJ
  0x51: (m) => m.push(m.persistent(m.pop())), // BINPERSID
  0x62: (m) => {
    const state = m.pop(); // BUILD
    const object = m.top();
    if (!(object instanceof Pickled)) return m.fail('the state of what is no object');
    // Attributes, such as the metadata of a state_dict, which affect no tensor.
    object.state ??= state;
  },
  0x73: (m) => {
    const value = m.pop(); // SETITEM
    setItems(m, [m.pop(), value]);
  },
  0x75: (m) => setItems(m, m.sinceMark()), // SETITEMS
  0x61: (m) => append(m, [m.pop()]), // APPEND
  0x65: (m) => append(m, m.sinceMark()), // APPENDS
};

/** The name of a storage's type in what `persistent` gets, which is a `Global`. */
export function globalName(value: unknown): string | undefined {
  return value instanceof Global ? value.name : undefined;
}
