import { describe, expect, it } from 'vitest';
import { parseCgroups, parseCommandLine, parseGoEnvironment, parseStat, parseStatus } from './proc-parse.ts';

const statTail =
  '1 7 7 0 -1 4194560 5 0 0 0 1 2 0 0 20 0 9 0 123456 1000 50 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0';

describe('/proc/PID/stat', () => {
  it.each([
    ['robot', `42 (robot) S ${statTail}`],
    ['a) b (c', `42 (a) b (c) S ${statTail}`],
    ['new\nline', `42 (new\nline) S ${statTail}`],
    ['', `42 () S ${statTail}`],
  ])('command %j', (comm, text) => {
    expect(parseStat(text)).toEqual({ pid: 42, comm, state: 'S', startTicks: 123456 });
  });

  it.each(['', '42', '42 (robot)', '42 (robot) S 1 2 3', `x (robot) S ${statTail}`, '42 )robot( S'])(
    'refuses %j',
    (text) => {
      expect(parseStat(text)).toBeUndefined();
    },
  );
});

describe('/proc/PID/status', () => {
  it('reads nested PIDs and resident memory', () => {
    const text = 'Name:\trobot\nPid:\t4711\nNSpid:\t4711\t52\t1\nVmRSS:\t   2048 kB\n';
    expect(parseStatus(text)).toEqual({ namespacePids: [4711, 52, 1], rssBytes: 2048 * 1024 });
  });

  it('has no resident memory for a kernel thread or zombie, and no NSpid before Linux 4.1', () => {
    expect(parseStatus('Name:\tkthreadd\nPid:\t2\n')).toEqual({ namespacePids: [2], rssBytes: null });
  });

  it('is not fooled by a command name with the shape of a field', () => {
    expect(parseStatus('Name:\tNSpid: 99\nPid:\t7\nNSpid:\t7\n')).toEqual({ namespacePids: [7], rssBytes: null });
  });

  it('refuses what is no status', () => {
    expect(parseStatus('')).toBeUndefined();
    expect(parseStatus('NSpid:\tx y\n')).toBeUndefined();
  });
});

describe('/proc/PID/cgroup', () => {
  it('reads v2, v1, named and shared hierarchies', () => {
    const text = '9:name=systemd:/\n4:cpu,cpuacct:/kubepods/pod1\n0::/a:b/c\n1:memory:/gone (deleted)\n';
    expect(parseCgroups(text)).toEqual([
      { hierarchy: 9, controllers: ['name=systemd'], path: '/' },
      { hierarchy: 4, controllers: ['cpu', 'cpuacct'], path: '/kubepods/pod1' },
      { hierarchy: 0, controllers: [], path: '/a:b/c' },
      { hierarchy: 1, controllers: ['memory'], path: '/gone' },
    ]);
  });

  it('leaves out lines that are none', () => {
    expect(parseCgroups('\nnonsense\n-1:memory:/\n1:memory\n1:memory:relative\n')).toEqual([]);
  });
});

describe('/proc/PID/environ', () => {
  it('gives only the variables of the collector, the first of two, also empty ones', () => {
    const text = [
      'SECRET=hunter2',
      'GOGC=50',
      'GOGC=70',
      'MYGOGC=1',
      'GODEBUG=',
      'GOMEMLIMIT=1GiB',
      'GOMAXPROCSX=3',
      '',
    ].join('\0');
    expect(parseGoEnvironment(text)).toEqual({ GOGC: '50', GODEBUG: '', GOMEMLIMIT: '1GiB' });
  });
});

describe('/proc/PID/cmdline', () => {
  it.each([
    ['', []],
    ['robot\0', ['robot']],
    ['robot\0--name\0\0', ['robot', '--name', '']],
    ['set by the program itself', ['set by the program itself']],
  ])('%j', (text, expected) => {
    expect(parseCommandLine(text)).toEqual(expected);
  });
});
