<?php
/** The answer of a served route: lists are joined, and what is not UTF-8 is replaced. */
function json(array $read): string
{
    $text = fn ($value) => is_array($value) ? implode(',', array_map('json_encode', $value)) : $value;
    return json_encode(array_map($text, $read), JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);
}
