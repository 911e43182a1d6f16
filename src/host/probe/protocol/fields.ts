/** Kinds of values that commands and events share. */
import { z } from 'zod';

export const attachmentId = z.string().min(1).max(63);
export const pid = z.int().positive();
export const seq = z.int().nonnegative();
export const ns = z.number().nonnegative();
export const bytes = z.number().nonnegative();
