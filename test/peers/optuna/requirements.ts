/** Optuna with what it needs for every storage, and its dashboard. */
export function storagesOf(version: string): string[] {
  return [
    `optuna==${version}`,
    'numpy==2.4.6',
    'scipy==1.17.1',
    'psycopg2-binary==2.9.13',
    'pymysql==1.2.4',
    'optuna-dashboard==0.21.0',
  ];
}
