//! JSON Web Keys.
