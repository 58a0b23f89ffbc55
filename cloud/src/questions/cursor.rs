//! Where the next page begins: the key of the last row as numbers, each with a dot after it, and one text, which comes last and may hold dots.

use crate::api::ApiError;

/// Numbers of a cursor and the text after them.
pub(super) fn write(numbers: &[i64], text: &str) -> String {
    let numbers: String = numbers.iter().map(|number| format!("{number}.")).collect();
    numbers + text
}

/// Reads what [`write`] wrote with as many numbers.
pub(super) fn read<const N: usize>(cursor: &str) -> Result<([i64; N], &str), ApiError> {
    let unreadable = || ApiError::BadRequest {
        field: "cursor".into(),
    };
    let mut numbers = [0; N];
    let mut rest = cursor;
    for number in &mut numbers {
        let (part, after) = rest.split_once('.').ok_or_else(unreadable)?;
        *number = part.parse().map_err(|_| unreadable())?;
        rest = after;
    }
    Ok((numbers, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_of_any_count_reads_back(numbers: [i64; 4], text in ".{0,20}") {
            reads_back::<0>(&numbers, &text)?;
            reads_back::<1>(&numbers, &text)?;
            reads_back::<2>(&numbers, &text)?;
            reads_back::<4>(&numbers, &text)?;
        }

        #[test]
        fn no_text_makes_a_cursor_panic(text in ".{0,20}") {
            let _any = (read::<0>(&text), read::<1>(&text), read::<4>(&text));
        }
    }

    fn reads_back<const N: usize>(numbers: &[i64], text: &str) -> Result<(), TestCaseError> {
        let written = write(&numbers[..N], text);
        let (numbers_back, text_back) = read::<N>(&written).expect("a cursor");
        prop_assert_eq!((&numbers_back[..], text_back), (&numbers[..N], text));
        Ok(())
    }
}
