import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const volumeCount = 8;

/**
 * A default storage class whose volumes are directories made beforehand, so that a claim binds at once and without a
 * provisioner. Writable by everyone: Kubernetes does not change the owner of host paths, and programs run as non-root.
 */
export async function createVolumes(volumesDir: string): Promise<readonly object[]> {
  const names = Array.from({ length: volumeCount }, (_, index) => `volume-${index + 1}`);
  for (const name of names) {
    await mkdir(join(volumesDir, name), { recursive: true });
    await chmod(join(volumesDir, name), 0o777);
  }
  return [storageClass, ...names.map(volume(volumesDir))];
}

const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'Immediate',
};

function volume(volumesDir: string): (name: string) => object {
  return (name) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      storageClassName: 'standard',
      capacity: { storage: '20Gi' },
      accessModes: ['ReadWriteOnce', 'ReadWriteMany', 'ReadOnlyMany'],
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: join(volumesDir, name), type: 'Directory' },
    },
  });
}
