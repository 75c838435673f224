"""What runs inside the sandbox: these modules are sent there as source text and need the standard library only.

`launch` plays one of three roles. ``script`` runs the answer as a program, standard input to standard
output. ``subject`` and ``tester`` are a pair in two sandboxes with a socket between them: the subject holds
the answer's code, the tester holds the tests and decides. The tester's names for the answer's functions are
stand-ins that ask the subject, and what comes back is plain data, rebuilt in the tester from JSON. So the
answer's code never shares a process with a test: it cannot see what is expected, patch what compares, or
pass by leaving early. The rules that keep it so:

* plain data travels by value, subclasses of it as the plain type;
* an object of the answer's own class is a stand-in: it never equals plain data, and does nothing at all
  unless the tests themselves name a class of the answer;
* the answer's code may call back only what a test passed to it: functions, iterators, objects of the tests'
  own classes;
* lists, dictionaries and the like that were passed and changed in place are changed in the tester, too.

Reading order: values, peer, subject, tester, remote, judge, launch.
"""
