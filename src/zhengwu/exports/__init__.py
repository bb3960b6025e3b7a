"""Tables taken out in the background (后台导出): ordered, made by a process apart, kept a while.

`registry` says what can be taken out; `tables` are those of the contexts below; `services` orders,
cancels and sweeps; `running` is the process that makes a file; `queries` tells how it goes.
"""
