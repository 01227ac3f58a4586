-- Here texts are told apart as they should be already: this step is MySQL's.
-- depends: 0002_events

SET LOCAL lock_timeout = '5s';

DO 'BEGIN END';
