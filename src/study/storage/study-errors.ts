import { UserError } from '../../base/errors.js';

/** The error of every storage when a study's name is in use. */
export function nameTaken(name: string, url: string): UserError {
  return new UserError(`study "${name}" exists in ${url}: choose another name, or load it (loadIfExists)`, {
    name,
    url,
  });
}

/** The error of every storage when a study was deleted while in use. */
export function studyGone(study: number, url: string): UserError {
  return new UserError(`study with id ${study} is no longer in ${url}: it was deleted`, { study, url });
}
