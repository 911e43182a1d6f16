/** Whether a process of robotgc says on its health `port` that it is ready; `false` too where nothing listens there. */
export const isReady = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
