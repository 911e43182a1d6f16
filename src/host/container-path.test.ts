import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseContainerPath } from './container-path.ts';

const uid = '0f9c2b6e-3d1a-4c5b-9e8f-7a6b5c4d3e2f';
const underscored = uid.replaceAll('-', '_');
const id = '4e7d0a1b'.repeat(8);
const staticUid = '5c6f7e8d'.repeat(4);

/** How kubelet and container runtimes name a container's cgroup. */
const paths: readonly (readonly [string, string])[] = [
  ['cgroupfs, guaranteed', `/kubepods/pod${uid}/${id}`],
  ['cgroupfs, burstable', `/kubepods/burstable/pod${uid}/${id}`],
  ['systemd, guaranteed', `/kubepods.slice/kubepods-pod${underscored}.slice/cri-containerd-${id}.scope`],
  [
    'systemd, burstable',
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${underscored}.slice/cri-containerd-${id}.scope`,
  ],
  [
    'systemd, CRI-O',
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${underscored}.slice/crio-${id}.scope`,
  ],
  ['CRI-O with a group below', `/kubepods.slice/kubepods-pod${underscored}.slice/crio-${id}.scope/container`],
  ['systemd, Docker', `/kubepods.slice/kubepods-pod${underscored}.slice/docker-${id}.scope`],
  [
    'kind',
    `/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${underscored}.slice/cri-containerd-${id}.scope`,
  ],
  [
    'kubelet under systemd, containerd without',
    `/system.slice/containerd.service/kubepods-burstable-pod${underscored}.slice:cri-containerd:${id}`,
  ],
  ['seen from another cgroup namespace', `/../../pod${uid}/${id}`],
  ['a process deeper inside', `/kubepods/burstable/pod${uid}/${id}/init.scope/worker`],
];

describe('container of a cgroup path', () => {
  it.each(paths)('%s', (_name, path) => {
    const place = parseContainerPath(path);
    expect(place).toMatchObject({ podUid: uid, containerId: id });
    expect(path.startsWith(place?.containerPath ?? '?')).toBe(true);
    expect(place?.containerPath).toMatch(new RegExp(`${id}(\\.scope)?$`));
  });

  it('knows the UIDs of static pods', () => {
    expect(parseContainerPath(`/kubepods/burstable/pod${staticUid}/${id}`)).toMatchObject({ podUid: staticUid });
  });

  it.each([
    '/',
    '/system.slice/sshd.service',
    `/kubepods/burstable/pod${uid}`,
    `/kubepods/burstable/pod${uid}/not-an-id`,
    `/kubepods/podnouid/${id}`,
    `/docker/${id}`,
    `/kubepods.slice/kubepods-pod${underscored}.slice/crio-conmon-${id}.scope`,
    `/kubepods/pod${uid}/${id}0`,
  ])('%s is none', (path) => {
    expect(parseContainerPath(path)).toBeUndefined();
  });

  it('never throws, and its container path is a prefix', () => {
    const part = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(`pod${uid}`, id, `kubepods-pod${underscored}.slice`, '..', ''),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const path = `/${parts.join('/')}`;
        const place = parseContainerPath(path);
        if (place !== undefined) expect(path.startsWith(place.containerPath)).toBe(true);
      }),
    );
  });
});
