import { z } from 'zod';

/** The port of the dashboard, next to TensorBoard's. */
export const DASHBOARD_PORT = 6007;

/** The flag of recipes that train or search: whether the dashboard is served meanwhile, and on which port. */
export const dashboardFlag = z
  .union([z.boolean(), z.int().min(2).max(65_535)])
  .default(false)
  .describe(`serve the dashboard meanwhile, see docs/dashboard.md; with a port, default ${DASHBOARD_PORT}`);
