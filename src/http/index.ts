/** HTTP for the rooms that do I/O, over Node's own client. Imports nothing of this project. */
export { type HttpRequest, type HttpResponse, request, type Tls } from './request.ts';
