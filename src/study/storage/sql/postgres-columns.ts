import type { Json } from '../../trials/frozen-trial.js';
import { toPythonJson } from '../../trials/python-json.js';
import { distributionToJson } from '../distribution-json.js';
import type { StoredParam, TrialChanges } from '../storage.js';
import { splitFloat, type Tables } from './tables.js';

/** A column of rows to insert, with its type. */
export interface Column {
  readonly name: string;
  readonly type: 'text' | 'int' | 'float8' | 'trialvaluetype' | 'trialintermediatevaluetype';
  readonly values: readonly unknown[];
}

/** Rows to insert for one trial, by column; the first column is the key among those of the trial. */
export interface Rows {
  readonly table: keyof Tables;
  readonly columns: readonly [Column, ...Column[]];
}

/** The rows that changes and values of a trial are stored in; tables without any are left out. */
export function rowsOf(
  { params, intermediateValues, userAttrs, systemAttrs }: TrialChanges,
  values: readonly number[] | null,
): Rows[] {
  const rows: Rows[] = [
    paramRows([...(params ?? [])]),
    reportRows([...(intermediateValues ?? [])]),
    attrRows('trial_user_attributes', userAttrs),
    attrRows('trial_system_attributes', systemAttrs),
    valueRows(values ?? []),
  ];
  return rows.filter(({ columns: [key] }) => key.values.length > 0);
}

function paramRows(params: readonly (readonly [string, StoredParam])[]): Rows {
  return {
    table: 'trial_params',
    columns: [
      { name: 'param_name', type: 'text', values: params.map(([name]) => name) },
      { name: 'param_value', type: 'float8', values: params.map(([, { internal }]) => internal) },
      {
        name: 'distribution_json',
        type: 'text',
        values: params.map(([, { distribution }]) => distributionToJson(distribution)),
      },
    ],
  };
}

function reportRows(reports: readonly (readonly [number, number])[]): Rows {
  const floats = reports.map(([, value]) => splitFloat(value));
  return {
    table: 'trial_intermediate_values',
    columns: [
      { name: 'step', type: 'int', values: reports.map(([step]) => step) },
      { name: 'intermediate_value', type: 'float8', values: floats.map(({ value }) => value) },
      {
        name: 'intermediate_value_type',
        type: 'trialintermediatevaluetype',
        values: floats.map(({ type }) => type),
      },
    ],
  };
}

function attrRows(
  table: 'trial_user_attributes' | 'trial_system_attributes',
  attrs: Readonly<Record<string, Json>> = {},
): Rows {
  const entries = Object.entries(attrs);
  return {
    table,
    columns: [
      { name: 'key', type: 'text', values: entries.map(([key]) => key) },
      { name: 'value_json', type: 'text', values: entries.map(([, value]) => toPythonJson(value)) },
    ],
  };
}

function valueRows(values: readonly number[]): Rows {
  const floats = values.map(splitFloat);
  return {
    table: 'trial_values',
    columns: [
      { name: 'objective', type: 'int', values: floats.map((_, objective) => objective) },
      { name: 'value', type: 'float8', values: floats.map(({ value }) => value) },
      { name: 'value_type', type: 'trialvaluetype', values: floats.map(({ type }) => type) },
    ],
  };
}
