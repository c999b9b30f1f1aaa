"""M4 and M5: a whole machine, which is a program that speaks lines, in a box of its own.

* `programs`: what students begin with, and the reference, both made of the sample
* `boxed`: processes of it, which begin with nothing but what their disk holds
* `trials`: the runs that a machine must stand; `judge`: what it is worth
"""
