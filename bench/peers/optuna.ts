import { type Python, pythonWith } from './python.js';

/** Optuna 4.9 with what it needs for PostgreSQL; its environment is made at the first call. */
export const optuna = (): Promise<Python> =>
  pythonWith('optuna-bench', ['optuna==4.9.0', 'numpy==2.4.6', 'psycopg2-binary==2.9.13']);

/** Optuna 4.9 with what its GPSampler needs. */
export const optunaGp = (): Promise<Python> =>
  pythonWith('optuna-gp', ['optuna==4.9.0', 'numpy==2.4.6', 'scipy==1.17.1', 'torch==2.13.0']);
