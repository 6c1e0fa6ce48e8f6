import { UserError } from '../base/errors.js';

/**
 * Undefined for a module that is not installed or whose native part fails to load; any other error is thrown.
 */
export function missing(error: NodeJS.ErrnoException): undefined {
  if (error instanceof UserError) throw error;
  if (/^(ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND|ERR_DLOPEN_FAILED)$/.test(error.code ?? '')) return undefined;
  throw error;
}
