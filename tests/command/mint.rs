//! `mint`: how the values of claims are read.
