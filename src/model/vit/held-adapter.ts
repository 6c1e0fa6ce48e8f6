import type { Tensor } from '@tensorflow/tfjs-core';
import { clone, dispose } from '../../base/tfjs-core.js';
import type { Adapter, AdapterParameter, MapInputs, Site } from '../adapter.js';
import type { Parameter, Parameters } from '../parameters.js';
import { initialValue, siteName } from './adapter-sites.js';

/** Options of `inject`. */
export interface InjectOptions {
  /** Its name among the model's adapters. Default `default`, as in PEFT. */
  readonly name?: string;
}

/** A parameter of the backbone that an adapter trains: the value that it has without the adapter, and with it. */
interface Adopted {
  readonly parameter: Parameter;
  readonly base: Tensor;
  own: { readonly value: Tensor; readonly trainable: boolean } | undefined;
}

/** What an adapter brings to the maps of a model. */
export interface Brought {
  readonly site: Site;
  readonly parameters: readonly AdapterParameter[];
}

/**
 * One named adapter of a model. Active, its parameters are among the model's; parked, they are kept here, and what it trains
 * of the backbone has the backbone's values.
 */
export class HeldAdapter {
  /** By the names of the maps. */
  readonly sites: ReadonlyMap<string, Site>;
  readonly #own = new Map<string, Parameter>();
  #adopted: Adopted[] = [];
  /** The values that stand in for those that follow from data. */
  #standIns: ReadonlyMap<string, Tensor> = new Map();
  #parked = false;

  constructor(
    readonly name: string,
    readonly adapter: Adapter,
    sites: readonly Site[],
    private readonly parameters: Parameters,
  ) {
    this.sites = new Map(sites.map((site) => [siteName(site), site]));
  }

  /** Adds its parameters to the model, drawn from the seed, or zeros without one. */
  add(changes: readonly Brought[], weightAt: (site: Site) => Tensor, seed: number | undefined): void {
    for (const { site, parameters } of changes)
      for (const parameter of parameters) {
        const { name, buffer = false, rate } = parameter;
        if (this.#own.has(name)) continue;
        const value = initialValue(parameter, () => weightAt(site), seed);
        const added: Parameter = {
          name,
          group: 'adapter',
          trainable: !buffer,
          ...(buffer && { buffer }),
          ...(rate !== undefined && { rate }),
          value,
        };
        this.parameters.add(added);
        this.#own.set(name, added);
      }
    if (this.adapter.start && seed !== undefined)
      this.#standIns = new Map([...this.#own].map(([name, { value }]) => [name, value]));
    for (const parameter of this.parameters)
      if (parameter.group === 'backbone' && this.adapter.trains?.(parameter.name)) {
        Object.assign(parameter, this.#adoption);
        this.#adopted.push({ parameter, base: clone(parameter.value), own: undefined });
      }
  }

  /** Whether its parameters are to start from data, and none of them has been set. */
  get waits(): boolean {
    return (
      this.#standIns.size > 0 &&
      [...this.#standIns].every(([name, value]) => this.#own.get(name)!.value === value)
    );
  }

  /** Sets those parameters of a site that start from data. */
  start(site: Site, inputs: MapInputs): void {
    for (const [part, value] of Object.entries(this.adapter.start!(site, inputs)))
      this.parameters.set(this.#ownName(site, part), value);
  }

  /** The value of one of a site's parameters, by the last part of its name. */
  own(site: Site): (part: string) => Tensor {
    return (part) => this.#own.get(this.#ownName(site, part))!.value;
  }

  /** The value of a parameter of the backbone that it trains. */
  adopted(name: string): Tensor {
    const { parameter, own } = this.#adopted.find((one) => one.parameter.name === name)!;
    return own?.value ?? parameter.value;
  }

  #ownName(site: Site, part: string): string {
    const name = this.adapter.parameters(site).find(({ name }) => name.endsWith(`.${part}`))?.name;
    if (name) return name;
    throw new Error(`${this.adapter.name} has no parameter ${part}`);
  }

  /** What a parameter of the backbone is while this adapter trains it. */
  get #adoption(): Pick<Parameter, 'group' | 'adopted' | 'rate'> {
    return { group: 'adapter', adopted: true, rate: this.adapter.trainedRate };
  }

  /** Takes its parameters out of the model, and gives the backbone its own values back. */
  park(): void {
    for (const name of this.#own.keys()) this.parameters.take(name);
    for (const adopted of this.#adopted) {
      const { parameter, base } = adopted;
      adopted.own = { value: parameter.value, trainable: parameter.trainable };
      Object.assign(parameter, {
        value: clone(base),
        trainable: false,
        group: 'backbone',
        adopted: false,
        rate: undefined,
      });
    }
    this.#parked = true;
  }

  /** Puts them back as they were. */
  unpark(): void {
    for (const parameter of this.#own.values()) this.parameters.add(parameter);
    for (const adopted of this.#adopted) {
      const { parameter, own } = adopted;
      parameter.value.dispose();
      Object.assign(parameter, { ...own!, ...this.#adoption });
      adopted.own = undefined;
    }
    this.#parked = false;
  }

  /** Frees what is kept here; an active adapter's parameters belong to the model. */
  dispose(): void {
    if (this.#parked) dispose([...this.#own.values()].map(({ value }) => value));
    for (const { base, own } of this.#adopted) dispose(own ? [base, own.value] : [base]);
    this.#own.clear();
    this.#adopted = [];
  }
}
