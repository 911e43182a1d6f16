/** What the test in a machine's cluster deploys: a pod whose limits are of interest, and the policy that selects it. */
import { pauseImage } from '../cluster/containerd.ts';

export const limitMiB = 96;
export const resizedMiB = 128;
/** Of the machine; the container has it at /work. */
export const sharedFolder = '/vm/disk/pod-limits';

export const hogPod = (nodeName: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'hog', namespace: 'default', labels: { app: 'hog' } },
  spec: {
    // There is no scheduler.
    nodeName,
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'hog',
        image: 'robotgc.dev/hog:local',
        imagePullPolicy: 'Never',
        args: ['/work/requests'],
        env: [{ name: 'GOGC', value: '30' }],
        resources: {
          requests: { memory: '64Mi', cpu: '100m' },
          // Whoever reads the figures must get to run beside it, and throttling is one of them.
          limits: { memory: `${limitMiB}Mi`, cpu: '500m' },
        },
        volumeMounts: [{ name: 'work', mountPath: '/work' }],
      },
      // Without a limit, so that the pod has none: the pod's is as large as its container's, and with its sandbox it would be met first.
      { name: 'idle', image: pauseImage, imagePullPolicy: 'Never' },
    ],
    volumes: [{ name: 'work', hostPath: { path: sharedFolder, type: 'Directory' } }],
  },
});

/** The agent sends windows while an incident is open: a live heap of more than nothing opens one that nobody closes. */
export const policy = {
  apiVersion: 'robotgc.dev/v1alpha1',
  kind: 'RobotGCPolicy',
  metadata: { name: 'hog', namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: 'hog' } },
    container: 'hog',
    sla: { latencyP99: '60s', gcShareOfLatency: '100%', throughput: '1%' },
    thresholds: { heapLive: '1Ki' },
    capture: { profiles: ['heap'], duration: '1s' },
  },
};
