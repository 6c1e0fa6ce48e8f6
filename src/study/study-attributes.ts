import { checkedJson } from './checks/checked-json.js';
import { checkName } from './checks/checked-name.js';
import type { Storage, StudyRecord } from './storage/storage.js';
import type { Json } from './trials/frozen-trial.js';
import { setOwn } from './trials/set-own.js';

type Attrs = Readonly<Record<string, Json>>;

/**
 * This process's copy of a study's user and system attributes.
 *
 * Samplers set system attributes without waiting: those take effect here at once and are stored by `write`.
 */
export class StudyAttributes {
  #user: Record<string, Json>;
  #system: Record<string, Json>;
  readonly #unwritten = new Map<string, Json>();

  constructor(
    private readonly storage: Storage,
    private readonly study: StudyRecord,
  ) {
    this.#user = { ...study.userAttrs };
    this.#system = { ...study.systemAttrs };
  }

  get user(): Attrs {
    return this.#user;
  }

  get system(): Attrs {
    return this.#system;
  }

  /** @throws UserError when the value is not JSON, or the storage cannot hold it or its key. */
  setSystem(key: string, value: Json): void {
    const json = this.#checked('system attribute', key, value, this.#system);
    setOwn(this.#system, key, json);
    this.#unwritten.set(key, json);
  }

  /** As `setSystem`, and stores it. */
  async setUser(key: string, value: Json): Promise<void> {
    const json = this.#checked('user attribute', key, value, this.#user);
    await this.storage.setStudyAttr(this.study.id, 'user', key, json);
    setOwn(this.#user, key, json);
  }

  /** Reads all attributes from the storage; local changes that are not yet written stay. */
  async refresh(): Promise<void> {
    const record = await this.storage.findStudy(this.study.name);
    if (!record) return;
    this.#user = { ...record.userAttrs };
    this.#system = { ...record.systemAttrs, ...Object.fromEntries(this.#unwritten) };
  }

  /** Stores the system attributes that were set since the last write. */
  async write(): Promise<void> {
    for (const [key, value] of this.#unwritten) {
      this.#unwritten.delete(key);
      await this.storage.setStudyAttr(this.study.id, 'system', key, value);
    }
  }

  #checked(kind: string, key: string, value: Json, others: Attrs): Json {
    const { limits } = this.storage;
    checkName(`${kind} of the study`, key, limits, others);
    return checkedJson(`${kind} "${key}" of the study`, value, limits);
  }
}
